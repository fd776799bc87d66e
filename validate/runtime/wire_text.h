/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether bytes of a private copy hold text. What follows the first NUL is never looked
 * at; with "terminated" there must be one.
 */
#ifndef AIRLOCK_WIRE_TEXT_H
#define AIRLOCK_WIRE_TEXT_H

#include "wire.h"

/*@ predicate wire_ascii(u8 *p, integer at, integer size, integer terminated) =
	at >= size ? terminated == 0 :
	p[at] == 0 || (p[at] <= 127 && wire_ascii(p, at + 1, size, terminated));

    predicate wire_lone(integer unit) = unit < 0xd800 || unit > 0xdfff;

    predicate wire_utf16(u8 *p, integer at, integer size, integer terminated) =
	at >= size ? at == size && terminated == 0 :
	wire_le16(p + at) == 0 ||
	(wire_lone(wire_le16(p + at)) && wire_utf16(p, at + 2, size, terminated)) ||
	(0xd800 <= wire_le16(p + at) <= 0xdbff && size - at >= 4 && 0xdc00 <= wire_le16(p + at + 2) <= 0xdfff &&
	 wire_utf16(p, at + 4, size, terminated));

    predicate wire_utf16be(u8 *p, integer at, integer size, integer terminated) =
	at >= size ? at == size && terminated == 0 :
	wire_be16(p + at) == 0 ||
	(wire_lone(wire_be16(p + at)) && wire_utf16be(p, at + 2, size, terminated)) ||
	(0xd800 <= wire_be16(p + at) <= 0xdbff && size - at >= 4 && 0xdc00 <= wire_be16(p + at + 2) <= 0xdfff &&
	 wire_utf16be(p, at + 4, size, terminated));
 */

/* Bytes from 1 to 127 up to the first NUL. */
/*@ requires \valid_read(p + (0 .. size - 1));
    terminates \true;
    assigns \nothing;
    ensures \result != 0 <==> wire_ascii(p, 0, size, terminated);
 */
static inline bool wire_ascii(const u8 *p, u32 size, bool terminated)
{
	u32 at;

	/*@ loop invariant at <= size;
	    loop invariant wire_ascii(p, 0, size, terminated) <==> wire_ascii(p, at, size, terminated);
	    loop assigns at;
	    loop variant size - at;
	 */
	for (at = 0; at < size && p[at]; at++)
		if (p[at] > 127)
			return false;
	return at < size || !terminated;
}

/* Little-endian UTF-16 up to the first NUL: surrogates come in pairs, high before low. */
/*@ requires \valid_read(p + (0 .. size - 1));
    terminates \true;
    assigns \nothing;
    ensures \result != 0 <==> size % 2 == 0 && wire_utf16(p, 0, size, terminated);
 */
static inline bool wire_utf16(const u8 *p, u32 size, bool terminated)
{
	u32 at, unit, next;

	if (size % 2)
		return false;
	/*@ loop invariant at <= size && at % 2 == 0;
	    loop invariant wire_utf16(p, 0, size, terminated) <==> wire_utf16(p, at, size, terminated);
	    loop assigns at, unit, next;
	    loop variant size - at;
	 */
	for (at = 0; at < size; at += 2) {
		unit = wire_le16(p + at);
		if (!unit)
			return true;
		if (unit < 0xd800 || unit > 0xdfff)
			continue;
		if (unit > 0xdbff || size - at < 4)
			return false;
		next = wire_le16(p + at + 2);
		if (next < 0xdc00 || next > 0xdfff)
			return false;
		at += 2;
	}
	return !terminated;
}

/* The same, big-endian. */
/*@ requires \valid_read(p + (0 .. size - 1));
    terminates \true;
    assigns \nothing;
    ensures \result != 0 <==> size % 2 == 0 && wire_utf16be(p, 0, size, terminated);
 */
static inline bool wire_utf16be(const u8 *p, u32 size, bool terminated)
{
	u32 at, unit, next;

	if (size % 2)
		return false;
	/*@ loop invariant at <= size && at % 2 == 0;
	    loop invariant wire_utf16be(p, 0, size, terminated) <==> wire_utf16be(p, at, size, terminated);
	    loop assigns at, unit, next;
	    loop variant size - at;
	 */
	for (at = 0; at < size; at += 2) {
		unit = wire_be16(p + at);
		if (!unit)
			return true;
		if (unit < 0xd800 || unit > 0xdfff)
			continue;
		if (unit > 0xdbff || size - at < 4)
			return false;
		next = wire_be16(p + at + 2);
		if (next < 0xdc00 || next > 0xdfff)
			return false;
		at += 2;
	}
	return !terminated;
}

#endif
