/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages composed byte by byte, for tests; little-endian, without help from what is
 * tested. The bytes lie in a heap block of exactly their number, so that a sanitizer sees
 * any look past the end. Include it after cmocka.h.
 */
#ifndef AIRLOCK_TESTS_BYTES_H
#define AIRLOCK_TESTS_BYTES_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#define STALE 0xa5	/* what lies in a buffer before a message is built in it */

struct bytes {
	u8 *data;
	u32 size;
};

static inline void bytes_clear(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ NULL, 0 };
}

/* Makes the message longer, by zeros, or shorter. */
static inline void bytes_resize(struct bytes *b, u32 size)
{
	b->data = realloc(b->data, size);
	assert_non_null(b->data);
	if (size > b->size)
		memset(b->data + b->size, 0, size - b->size);
	b->size = size;
}

static inline void put_zeros(struct bytes *b, u32 count)
{
	bytes_resize(b, b->size + count);
}

static inline void put(struct bytes *b, u64 value, u32 width)
{
	u32 i;

	put_zeros(b, width);
	for (i = 0; i < width; i++)
		b->data[b->size - width + i] = value >> 8 * i;
}

/* Bytes in hexadecimal; what stands between them, blanks or bars, is for the reader. */
static inline void put_hex(struct bytes *b, const char *text)
{
	char *end;

	while (*text) {
		if (!isxdigit((unsigned char)*text)) {
			text++;
			continue;
		}
		put(b, strtoul(text, &end, 16), 1);
		assert_int_equal(end - text, 2);
		text = end;
	}
}

/* What was built is these bytes, then zeros, "size" in all, and nothing behind it was touched. */
static inline void assert_built(const u8 *built, u32 size, const char *text, u32 expected_size)
{
	struct bytes expected = { NULL, 0 };

	put_hex(&expected, text);
	bytes_resize(&expected, expected_size);
	assert_int_equal(size, expected_size);
	assert_memory_equal(built, expected.data, size);
	assert_int_equal(built[size], STALE);
	bytes_clear(&expected);
}

#endif
