/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * airspec: the specification compiler. This header owns what its parts share: the
 * parsed specification, the rule table, and the door of each part. The tree is built
 * by parse.c, completed by sema.c (fields marked "sema"), and read-only afterwards.
 */
#ifndef AIRSPEC_H
#define AIRSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned __int128 u128;
typedef __int128 s128;

#define U64_TOP ((s128)UINT64_MAX)

/* Where a piece of the specification stands; line and column count from 1. */
struct loc {
	u32 line, column, length;
};

/* Smallest and largest value an expression can have; lo > hi: no value at all. */
struct interval {
	s128 lo, hi;
};

struct spec;
struct field;
struct layout;
struct type;

/* ---- rules ---- */

enum rule_class {
	RULE_LAYOUT,		/* decided by the bytes and the context */
	RULE_REQUEST,		/* decided by the message and the request it answers */
	RULE_SESSION,		/* decided by the session's state */
};

struct rule {
	struct rule *next;	/* in number order */
	const char *name;	/* "control.offer.relid.range" */
	u32 number;		/* from 1, dense, order of first check */
	u32 id;			/* FNV-1a of the name */
	enum rule_class class;
	struct loc loc;		/* the words that state the rule */
	struct layout *owner;	/* NULL: a session's rule, see session */
	struct session *session;
};

/* ---- expressions ---- */

enum expr_kind {
	E_NUMBER,		/* number */
	E_VERSION,		/* number: already shifted (sema) */
	E_NAME,			/* name, part (may be NULL) -> ref */
	E_REQUEST,		/* request.name[.part] -> ref */
	E_SIZEOF,		/* sizeof(name) -> number */
	E_OFFSETOF,		/* offset_of(name) -> number */
	E_SIZE,			/* size */
	E_REMAINING,		/* remaining */
	E_NOT,			/* a */
	E_BINARY,		/* op, a, b */
	E_RANGE,		/* a in b .. c */
	E_SET,			/* a in { list } */
};

enum op {
	OP_MUL, OP_DIV, OP_MOD, OP_ADD, OP_SUB, OP_SHL, OP_SHR, OP_AND, OP_OR,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,
	OP_BOTH, OP_EITHER, OP_IMPLIES,		/* and, or, implies */
};

enum ref_kind {
	REF_NONE,
	REF_FIELD,		/* field: scalar field of this layout; with part: nested[0..] */
	REF_LET,		/* let */
	REF_PARAM,		/* param */
	REF_CONTEXT,		/* context */
	REF_CONST,		/* value in number */
	REF_ENUMERATOR,		/* value in number */
};

/*
 * What a name means. "part" names go to: a flag bit (flag), a part of a bits word (bit),
 * or a field inside a nested fixed struct (path holds the outer struct fields, outermost
 * first; field is the innermost). A bare name of a header field has path = { header field }.
 */
struct ref {
	enum ref_kind kind;
	struct field *field;
	struct item *let;
	struct param *param;
	struct context_value *context;
	struct flag *flag;
	struct bitpart *bit;
	struct field *path[4];
	u32 path_length;
};

struct expr {
	enum expr_kind kind;
	struct loc loc;
	enum op op;
	u64 number;
	const char *name, *part, *subpart;
	struct expr *a, *b, *c;
	struct expr **list;
	u32 list_length;
	/* sema */
	struct ref ref;
	const struct enumeration *enumeration;	/* of a REF_ENUMERATOR */
	bool is_truth;		/* comparison, and, or, not, implies, in */
	bool uses_request;
	struct interval range;	/* every value it can take where it stands */
	bool negative_ok;	/* a subtraction proven by an earlier rule */
};

/* ---- types ---- */

enum type_kind {
	T_INT, T_ENUM, T_FLAGS, T_BITS, T_GUID, T_STRUCT,
	T_BYTES,		/* bytes[count] */
	T_ARRAY,		/* element[count] */
	T_FILL,			/* element[] size bytes */
	T_STRING,		/* ascii/utf16[count] */
	T_LIST,
	T_UNION,
};

/* A part of a bits word, lowest bit first. */
struct bitpart {
	struct bitpart *next;
	const char *name;
	struct loc loc;
	u32 width, shift;	/* sema: shift */
	struct refinement *refinements;
	bool ignored;			/* or zero: not delivered */
	bool checked;
	struct interval final;		/* sema: once its rules are kept */
};

struct arm {
	struct arm *next;
	const char *name;	/* an enumerator's name */
	struct loc loc;
	struct type *type;
	u64 value;		/* sema */
};

struct type {
	enum type_kind kind;
	struct loc loc;
	u32 width;		/* bytes of a scalar: 1, 2, 4, 8; 16 for guid */
	bool big;		/* big-endian (sema: after the declared byte order) */
	const char *name;	/* of an enum, flags or struct, as written */
	struct enumeration *enumeration;	/* sema: T_ENUM */
	struct flagset *flagset;		/* sema: T_FLAGS */
	struct layout *layout;			/* sema: T_STRUCT, and the element of T_LIST */
	struct bitpart *bits;
	struct type *element;	/* T_ARRAY, T_FILL: int, enum or struct */
	struct expr **arguments;	/* T_STRUCT, T_LIST */
	u32 argument_count;
	struct expr *count;	/* T_BYTES, T_ARRAY, T_STRING: elements (bytes for strings) */
	struct expr *bytes;	/* T_FILL, T_LIST, T_UNION ("size"); NULL: none */
	bool utf16, terminated;	/* T_STRING */
	struct expr *max, *until;	/* T_LIST */
	const char *linked;
	struct ref link;	/* sema */
	struct loc linked_loc;
	struct expr *tag;	/* T_UNION */
	struct arm *arms;
	bool others_refused;	/* T_UNION */
	/* sema */
	s128 fixed_size;	/* bytes, or -1: variable */
	s128 least_size;	/* it cannot be shorter */
};

enum refinement_kind {
	R_ANY, R_IGNORED, R_ZERO, R_RANGE, R_SET, R_COMPARE, R_MULTIPLE, R_NO_OVERLAP, R_AS,
};

enum role { ROLE_NONE, ROLE_INDEX, ROLE_LENGTH, ROLE_OFFSET, ROLE_COUNT, ROLE_NUMBER };

struct refinement {
	struct refinement *next;
	enum refinement_kind kind;
	struct loc loc;
	enum op op;			/* R_COMPARE */
	struct expr *a, *b;		/* range ends; a: comparison, multiple */
	struct expr **list;		/* R_SET */
	u32 list_length;
	const char *name;		/* R_NO_OVERLAP */
	struct field *other;		/* sema */
	enum role role;			/* R_AS */
	bool uses_request;		/* sema: checked by the session */
	struct expr *test;		/* sema: the rule as an expression over the field itself */
	struct rule *rule;		/* sema; NULL for R_ANY, R_IGNORED, R_AS */
};

/* ---- layouts ---- */

struct field {
	const char *name;
	struct loc loc;
	struct type *type;
	struct expr *at;		/* NULL: inline */
	struct refinement *refinements;
	/* sema */
	struct layout *layout;		/* the layout it is written in */
	s128 offset;			/* from the start of the layout, -1 if not fixed */
	u32 run_bytes;			/* > 0: first of a run of that many bytes */
	bool run_exact;			/* the run is the whole message */
	struct rule *run_rule;
	struct rule *enum_rule, *reserved_rule, *bounds_rule, *whole_rule, *text_rule;
	struct rule *max_rule, *link_rule, *tag_rule, *filled_rule;
	bool ignored;			/* not delivered to anyone */
	enum role role;
	bool checked;			/* some rule or construct looks at it */
	bool conditional;		/* inside a when */
	bool is_header;			/* the implicit first field of a message */
	bool delivered;			/* part of the view */
	bool referenced;		/* some expression names it */
	bool requested;			/* some answer names it as request.f */
	bool constant;			/* "= n" or "zero" with a constant: builders fill it in */
	u64 constant_value;
	struct interval range;		/* of a scalar, by its type */
	struct interval final;		/* once all rules of the layout are kept */
};

enum item_kind { I_FIELD, I_RULE, I_LET, I_EXTENT, I_WHEN, I_TRAILING };

struct item {
	struct item *next;
	enum item_kind kind;
	struct loc loc;
	struct field *field;		/* I_FIELD */
	const char *name;		/* I_RULE, I_LET */
	struct expr *expr;		/* I_RULE, I_LET, I_EXTENT, I_WHEN */
	struct item *then, *otherwise;	/* I_WHEN */
	struct rule *rule;		/* sema: I_RULE, I_EXTENT */
	struct interval range;		/* sema: I_LET */
};

#define FOR_ITEMS(item, first) for (item = (first); item; item = item->next)

enum layout_kind { L_HEADER, L_STRUCT, L_FRAME, L_MESSAGE };

enum direction { FROM_HOST, TO_HOST, EITHER_WAY, REFUSED };

struct param {
	struct param *next;
	const char *name;
	struct loc loc;
	struct type *type;
	struct expr *lo, *hi;		/* NULL: whole type */
	struct interval range;		/* sema */
	bool used;
};

/* The header, a struct, a frame or a message. */
struct layout {
	struct layout *next;		/* in the order written */
	enum layout_kind kind;
	const char *name;
	struct loc loc;
	struct param *params;
	struct item *items;		/* a message's first item is its header (sema) */
	enum direction direction;	/* L_MESSAGE; a frame comes from the host unless it says so */
	struct expr *when;		/* L_MESSAGE: may be NULL */
	const char *answers;		/* L_MESSAGE: name of the request, or NULL */
	struct loc answers_loc;
	u64 *sizes;			/* L_MESSAGE: stated sizes */
	u32 size_count;
	bool or_more;
	/* sema */
	struct layout *request;		/* what it answers */
	bool is_request;		/* some message answers it */
	bool fixed;			/* see the language: fixed struct */
	s128 fixed_size, least_size;
	bool trailing_ignored;
	bool has_extent;
	bool uses_region;		/* needs the region's size */
	bool walked, walking;		/* sema's progress */
	struct rule *when_rule, *trailing_rule, *refused_rule;
	bool has_request_rules;
	bool in_list;			/* element of an array or list */
	bool used;
	u32 number;			/* messages: from 1 in the order written */
};

/* ---- declarations ---- */

struct enumerator {
	struct enumerator *next;
	const char *name;
	struct loc loc;
	u64 value;
};

struct enumeration {
	struct enumeration *next;
	const char *name;
	struct loc loc;
	struct type *type;		/* the int */
	struct enumerator *values;
	bool others_allowed;
	bool used;
};

struct flag {
	struct flag *next;
	const char *name;
	struct loc loc;
	u32 bit;
};

struct flagset {
	struct flagset *next;
	const char *name;
	struct loc loc;
	struct type *type;
	struct flag *flags;
	bool others_zero;
	u64 mask;			/* sema: the known bits */
	bool used;
};

struct guid {
	struct guid *next;
	const char *name;
	struct loc loc;
	u8 bytes[16];			/* as on the wire */
};

struct guidset {
	struct guidset *next;
	const char *name;
	struct loc loc;
	struct guid *guids;
};

struct constant {
	struct constant *next;
	const char *name;
	struct loc loc;
	struct expr *expr;
	u64 value;			/* sema */
	bool used;			/* visible from here on */
	bool named;			/* sema: some expression names it */
};

struct context_value {
	struct context_value *next;
	const char *name;
	struct loc loc;
	bool is_version;
	struct type *type;		/* int, enum or flags; u32 for a version */
	struct expr *lo, *hi;		/* NULL: whole type */
	struct interval range;		/* sema */
	u32 index;			/* from 0 */
	bool used;
};

/* ---- sessions ---- */

enum event_kind { EV_ON, EV_SEND, EV_AFTER, EV_LOCAL };

struct transition {
	struct transition *next;	/* in the order written, within its state */
	enum event_kind event;
	const char *name;		/* message, deadline or decision */
	struct loc loc;
	struct expr *when;		/* NULL: always */
	const char *target_name;
	struct loc target_loc;
	bool cancel;
	/* sema */
	struct layout *message;		/* EV_ON, EV_SEND */
	struct state *target;
	u32 event_number;		/* from 0, dense per session; same event, same number */
};

struct state {
	struct state *next;
	const char *name;
	struct loc loc;
	struct transition *transitions;
	u32 number;			/* sema: from 0 */
	bool reached;
};

/* An event of a session: one message direction, deadline or decision. */
struct event {
	struct event *next;
	enum event_kind kind;
	const char *name;
	struct layout *message;		/* EV_ON, EV_SEND */
	u32 number;			/* from 0 */
	struct rule *state_rule;	/* EV_ON, EV_SEND */
	struct rule *pairing_rule;	/* unsolicited / outstanding; NULL: no pairing */
};

struct session {
	struct session *next;
	const char *name;
	struct loc loc;
	const char *key;		/* field name, or NULL */
	struct loc key_loc;
	const char *start_name;
	struct loc start_loc;
	struct state *states;
	bool others_drop;
	/* sema */
	struct state *start;
	struct event *events;
	u32 state_count, event_count;
};

struct version {
	struct version *next;
	struct loc loc;
	u32 major, minor;
	u64 value;			/* sema */
};

/* A whole specification: one file. */
struct spec {
	const char *path;		/* as given, for diagnostics */
	const char *text;		/* NUL-terminated source */
	size_t text_length;
	const char *name, *title;
	struct loc name_loc;
	bool big;
	u32 version_shift;
	struct version *versions;
	struct constant *constants;
	struct enumeration *enumerations;
	struct flagset *flagsets;
	struct guidset *guidsets;
	struct context_value *context;
	u32 context_count;
	struct layout *header;		/* NULL: none */
	struct layout *layouts;		/* structs, frames and messages, header not */
	struct session *sessions;
	struct rule *rules, *last_rule;	/* sema */
	struct rule *dispatch_rule;	/* "P.dispatch": the header fits, but no message does */
	struct rule *short_rule;	/* "P.header.size": too short for the header */
	u32 rule_count, message_count;
	u32 errors, warnings;
	FILE *diagnostics;		/* where they go; NULL: nowhere */
};

/* ---- doors ---- */

/* Memory lives until the spec is freed; never returns NULL. */
void *spec_alloc(struct spec *spec, size_t bytes);
char *spec_printf(struct spec *spec, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spec_free(struct spec *spec);

/* diag.c */
void error_at(struct spec *spec, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void warn_at(struct spec *spec, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void note_at(struct spec *spec, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * spec_compile - parse and check a specification
 *
 * Diagnostics go to @diagnostics. The result is never NULL; it may be used by the
 * back ends only if its errors are 0. @text is copied.
 */
struct spec *spec_compile(const char *path, const char *text, size_t length, FILE *diagnostics);
struct spec *spec_read(const char *path, FILE *diagnostics);	/* NULL: cannot be read, errno */

/* parse.c, sema.c: used by spec_compile() only */
void parse(struct spec *spec);
void analyse(struct spec *spec);

bool is_scalar(const struct type *type);	/* int, enum, flags or bits */
struct rule *spec_rule(const struct spec *spec, u32 number);
struct layout *spec_layout(const struct spec *spec, const char *name);	/* message, frame or struct */
struct session *spec_session(const struct spec *spec, const char *name);

bool is_sent(const struct layout *layout);	/* a message or frame of ours */
const struct field *unbuildable(const struct item *items);	/* a field no builder can place, or NULL */

/* The back ends write to @out. */
void emit_header(struct spec *spec, FILE *out);			/* <protocol>.h */
void emit_source(struct spec *spec, FILE *out, bool acsl);	/* <protocol>.c, plain or annotated */
void emit_tables(struct spec *spec, FILE *out);			/* rule names, for tools and tests */
void emit_layout(struct spec *spec, FILE *out);			/* offsets and sizes, for tests */
void emit_glue(struct spec *spec, FILE *out);			/* for tests: check by name and number */
void emit_vectors(struct spec *spec, FILE *out);		/* test vectors, as C tables */
void emit_dictionary(struct spec *spec, FILE *out);		/* libFuzzer and AFL++ */
void emit_mutator(struct spec *spec, FILE *out);		/* structure-aware, C */
void emit_dissector(struct spec *spec, FILE *out);		/* Wireshark, Lua */
void emit_capture(struct spec *spec, FILE *out, FILE *expected);	/* pcap of the vectors */
void emit_reference(struct spec *spec, FILE *out);		/* Markdown */

/* decode.c: judges one message with the interpreter; the exit status of the program. */
int decode(const char *path, const char *message, const char *hex, int count, char **values);

#endif
