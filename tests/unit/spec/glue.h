/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One shape for the generated C of every protocol, so that one test program can drive it:
 * validators by name, views as tables of members, sessions as functions. Only tests use it.
 */
#ifndef AIRLOCK_TEST_GLUE_H
#define AIRLOCK_TEST_GLUE_H

#include <linux/types.h>

/* A member of a view: a number of size bytes, or (size == 0) a struct wire_slice. */
struct glue_member {
	const char *path;	/* "header.type", "flags.pending", "value.routers.address" */
	u32 offset, size;
};

struct glue_layout {
	const char *name;
	u32 kind;		/* a message's number; 0: no message */
	/* 0 or a rule's number; *used: the bytes it took, if it is a variable struct */
	int (*check)(const u8 *bytes, u32 size, const void *context, const u64 *params, void *view, u32 *used);
	u32 view_size;
	const struct glue_member *members;
	u32 member_count;
	/* What is kept of a request; NULL: nothing. */
	void (*keep)(const void *view, void *request);
	/* The rules about the request, after check; NULL: none. */
	int (*match)(const void *view, const void *context, const void *request);
};

struct glue_session {
	const char *name;
	u32 size;
	void (*start)(void *session);
	/* message: the protocol's struct for a message of any kind */
	int (*receive)(void *session, const void *context, const void *message);
	int (*send)(void *session, const void *context, const void *message);
	bool (*local)(void *session, u32 event);
	u32 (*state)(const void *session);
	void (*enter)(void *session, u32 state);
	/* A request of this kind, a message's number: is it on its way; from now on it is. */
	bool (*waits)(const void *session, u32 kind);
	void (*ask)(void *session, u32 kind, const void *view);
};

struct glue {
	const char *name;
	u32 rule_count;
	u32 context_size, message_size, request_size;	/* bytes of the structs */
	void (*fill)(const u64 *values, void *context);
	const struct glue_layout *layouts;
	u32 layout_count;
	/* NULL: no message comes from the host; *kind: which it is */
	int (*receive)(const u8 *bytes, u32 size, const void *context, void *message, u32 *kind);
	/* Puts an accepted view into a message of any kind; where its view lies in there. */
	void *(*wrap)(void *message, u32 kind);
	const struct glue_session *sessions;
	u32 session_count;
};

/* The function, if it has this type; else something of this type that is never called. */
#define GLUE_IF(function, type)									\
	__builtin_choose_expr(__builtin_types_compatible_p(__typeof__(function), int type),	\
			      (function), (int (*)type)NULL)

/* Calls a function that takes the context, or does not: which of them, its type says. */
#define GLUE_CALL(function, with, with_arguments, without, without_arguments)			\
	__builtin_choose_expr(__builtin_types_compatible_p(__typeof__(function), int with),	\
			      GLUE_IF(function, with) with_arguments,				\
			      GLUE_IF(function, without) without_arguments)

#endif
