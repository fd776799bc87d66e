/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture of test vectors and mutilated copies of them, for the dissector, and what the
 * interpreter saw in each packet, to compare with. The link type is USER0 + n, with n from
 * capture_link_type(). A packet is
 *
 *	"AIRL", u8 1, u8 kind, u16 values, u16 layout, u16 0, u64 value[values], message
 *
 * little-endian; kind is 0 for a message from the host, 1 for one to the host, 2 for a frame
 * or struct; layout counts frames, structs and messages in the order written, and is 0xffff
 * for a message that its header tells; the values are the context's and then, for a struct,
 * its parameters.
 *
 * A line of the expectation is a verdict ("kept", the rule broken first, or "strange" for no
 * packet of ours) and, each after a tab, what was seen: name@offset+size, then "=" and the
 * value as Wireshark shows it, or "~" and bytes in hexadecimal.
 */
#include <string.h>

#include "emit.h"
#include "interp.h"
#include "vectors.h"

#define MOST_BYTES 65000
#define BY_HEADER 0xffff
#define MUTILATIONS 6

struct capture {
	struct spec *spec;
	FILE *out, *expected;
	const u8 *bytes;		/* of the message being described */
	u32 size, start;		/* where the message starts in its packet */
	u32 random, packets;
};

struct packet {
	const struct layout *layout;
	bool by_header;
	const u8 *bytes;
	u32 size;
	const u64 *context, *params;
};

/* ---- the pcap file ---- */

static void put(FILE *out, u64 value, u32 bytes)
{
	while (bytes--) {
		fputc((int)(value & 255), out);
		value >>= 8;
	}
}

static void file_header(struct capture *capture)
{
	put(capture->out, 0xa1b2c3d4, 4);
	put(capture->out, 2, 2);
	put(capture->out, 4, 2);
	put(capture->out, 0, 8);
	put(capture->out, 262144, 4);
	put(capture->out, 147 + capture_link_type(capture->spec), 4);
}

static u32 parameter_count(const struct layout *layout)
{
	const struct param *param;
	u32 count = 0;

	for (param = layout->params; param; param = param->next)
		count++;
	return count;
}

static u32 layout_number(const struct spec *spec, const struct layout *wanted)
{
	const struct layout *layout;
	u32 number = 0;

	for (layout = spec->layouts; layout != wanted; layout = layout->next)
		number++;
	return number;
}

static u32 packet_kind(const struct layout *layout)
{
	if (layout->kind == L_STRUCT || layout->kind == L_FRAME)
		return 2;
	return layout->direction == TO_HOST;
}

/* The time is the packet's number, so that a capture can be talked about. */
static void record(struct capture *capture, u32 length)
{
	put(capture->out, ++capture->packets, 4);
	put(capture->out, 0, 4);
	put(capture->out, length, 4);
	put(capture->out, length, 4);
}

static void put_packet(struct capture *capture, const struct packet *packet)
{
	u32 params = parameter_count(packet->layout), i;

	capture->start = 12 + 8 * (capture->spec->context_count + params);
	record(capture, capture->start + packet->size);
	fputs("AIRL", capture->out);
	put(capture->out, 1, 1);
	put(capture->out, packet_kind(packet->layout), 1);
	put(capture->out, capture->spec->context_count + params, 2);
	put(capture->out, packet->by_header ? BY_HEADER : layout_number(capture->spec, packet->layout), 2);
	put(capture->out, 0, 2);
	for (i = 0; i < capture->spec->context_count; i++)
		put(capture->out, packet->context[i], 8);
	for (i = 0; i < params; i++)
		put(capture->out, packet->params[i], 8);
	for (i = 0; i < packet->size; i++)
		fputc(packet->bytes[i], capture->out);
}

/* ---- the expectation ---- */

static bool plain(const u8 *bytes, u32 size, u32 step, u32 *length)
{
	u32 i;

	for (i = 0; i + step <= size; i += step) {
		if (step == 2 && bytes[i + 1])
			return false;
		if (!bytes[i])
			break;
		if (bytes[i] <= ' ' || bytes[i] > '~' || strchr("\"&<>'\\", bytes[i]))
			return false;
	}
	*length = i;
	return i;
}

static void show_text(struct capture *capture, const struct type *type, u32 offset, u32 size)
{
	const u8 *bytes = capture->bytes + offset;
	u32 step = type->utf16 ? 2 : 1, length, i;

	if (capture->spec->big && type->utf16)
		return;
	if (!plain(bytes, size, step, &length))
		return;
	fputc('=', capture->expected);
	for (i = 0; i < length; i += step)
		fputc(bytes[i], capture->expected);
}

static void show_guid(struct capture *capture, u32 offset)
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	u32 i;

	fputc('=', capture->expected);
	for (i = 0; i < 16; i++)
		fprintf(capture->expected, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			capture->bytes[offset + order[i]]);
}

static void show_bytes(struct capture *capture, u32 offset, u32 size)
{
	u32 i;

	fputc('~', capture->expected);
	for (i = 0; i < size; i++)
		fprintf(capture->expected, "%02x", capture->bytes[offset + i]);
}

static void show_range(struct capture *capture, const struct type *type, u32 offset, u32 size)
{
	if (offset > capture->size || size > capture->size - offset)
		return;
	if (type->kind == T_GUID)
		show_guid(capture, offset);
	else if (type->kind == T_STRING)
		show_text(capture, type, offset, size);
	else if (type->kind == T_BYTES)
		show_bytes(capture, offset, size);
}

static void show_flags(struct capture *capture, const struct field *field, u32 offset, u64 value)
{
	const struct flag *flag;

	for (flag = field->type->flagset->flags; flag; flag = flag->next) {
		fputc('\t', capture->expected);
		emit_field_key(capture->expected, field);
		fprintf(capture->expected, ".%s@%u+%u=%u", flag->name, capture->start + offset,
			field->type->width, (u32)(value >> flag->bit & 1));
	}
}

static void saw(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width,
		u64 value)
{
	struct capture *capture = arg;
	const struct type *type = field->type;

	fputc('\t', capture->expected);
	emit_field_key(capture->expected, field);
	if (bit)
		fprintf(capture->expected, ".%s", bit->name);
	fprintf(capture->expected, "@%u+%u", capture->start + offset, width ? width : (u32)value);
	if (!width)
		show_range(capture, type, offset, (u32)value);
	else if (!bit && (type->kind == T_FLAGS || type->kind == T_BITS))
		fprintf(capture->expected, "=0x%0*llx", (int)width * 2, (unsigned long long)value);
	else
		fprintf(capture->expected, "=%llu", (unsigned long long)value);
	if (width && type->kind == T_FLAGS)
		show_flags(capture, field, offset, value);
}

/* The verdict comes first in the line, but is known last: the message is looked at twice. */
static u32 look(struct capture *capture, const struct packet *packet, struct interp_observer *observer)
{
	struct interp_message message = {
		.bytes = packet->bytes, .size = packet->size,
		.context = packet->context, .params = packet->params,
	};
	const struct layout *found;

	if (packet->by_header && packet->layout->direction != TO_HOST)
		return interp_receive(capture->spec, &message, &found, observer);
	return interp_check(capture->spec, packet->layout, &message, observer);
}

static void expect(struct capture *capture, const struct packet *packet, u32 verdict)
{
	struct interp_observer observer = { .saw = saw, .arg = capture };

	fputs(verdict ? spec_rule(capture->spec, verdict)->name : "kept", capture->expected);
	capture->bytes = packet->bytes;
	capture->size = packet->size;
	look(capture, packet, &observer);
	fputc('\n', capture->expected);
}

static void add_packet(struct capture *capture, const struct packet *packet)
{
	u32 verdict = look(capture, packet, NULL);

	if (verdict == INTERP_UNDEFINED || packet->size > MOST_BYTES)
		return;
	put_packet(capture, packet);
	expect(capture, packet, verdict);
}

/* ---- mutilations ---- */

static u32 next_random(struct capture *capture, u32 below)
{
	capture->random = capture->random * 1664525 + 1013904223;
	return below ? (capture->random >> 8) % below : 0;
}

static void mutilate(struct capture *capture, const struct packet *whole)
{
	struct packet packet = *whole;
	u8 bytes[MOST_BYTES];
	u32 i, at;

	if (!whole->size || whole->size > MOST_BYTES)
		return;
	for (i = 0; i < MUTILATIONS; i++) {
		memcpy(bytes, whole->bytes, whole->size);
		packet.bytes = bytes;
		packet.size = whole->size;
		if (i % 2)
			packet.size = next_random(capture, whole->size);
		at = next_random(capture, whole->size);
		if (i != 1)
			bytes[at] ^= (u8)(1 << next_random(capture, 8));
		if (i > 3)
			bytes[at] = (u8)next_random(capture, 256);
		add_packet(capture, &packet);
	}
}

/* What is no packet of ours: too short, of another kind, or with too few values. */
static void add_strange(struct capture *capture)
{
	static const char *const bytes[] = {
		"A", "AIRL", "AIRL\1\1", "AIRK\1\1\2\2\3\3\4\4\5\5\5\5\5", "AIRL\1\2\377\377\1\1\1\1",
	};
	size_t i;

	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		record(capture, (u32)strlen(bytes[i]));
		fputs(bytes[i], capture->out);
		fputs("strange\n", capture->expected);
	}
}

/* ---- the whole ---- */

static bool same_packet(const struct capture *capture, const struct vector *a, const struct vector *b)
{
	return a->layout == b->layout && a->door == b->door && a->size == b->size &&
	       !memcmp(a->bytes, b->bytes, a->size) &&
	       !memcmp(a->context, b->context, capture->spec->context_count * sizeof(u64));
}

/* One input often serves several rules. */
static bool seen_before(const struct capture *capture, const struct vector *vector)
{
	const struct vector *other;

	for (other = vectors_find(capture->spec); other != vector; other = other->next)
		if (same_packet(capture, other, vector))
			return true;
	return false;
}

/* What is accepted is also found by its header; what is mutilated may be told wrongly. */
static void add_kept(struct capture *capture, const struct packet *packet)
{
	struct packet told = *packet;

	if (packet->layout->kind == L_MESSAGE && !packet->by_header) {
		told.by_header = true;
		add_packet(capture, &told);
	}
	mutilate(capture, packet);
}

static void add_vector(struct capture *capture, const struct vector *vector)
{
	struct packet packet = {
		.layout = vector->layout, .by_header = vector->door == DOOR_RECEIVE,
		.bytes = vector->bytes, .size = vector->size,
		.context = vector->context, .params = vector->params,
	};

	add_packet(capture, &packet);
	if (!vector->breaks)
		add_kept(capture, &packet);
}

void emit_capture(struct spec *spec, FILE *out, FILE *expected)
{
	struct capture capture = { .spec = spec, .out = out, .expected = expected, .random = 1 };
	const struct vector *vector;

	file_header(&capture);
	for (vector = vectors_find(spec); vector; vector = vector->next)
		if (!seen_before(&capture, vector))
			add_vector(&capture, vector);
	add_strange(&capture);
}
