// SPDX-License-Identifier: GPL-2.0-only
/*
 * What numbered packets hold.
 */
#include <string.h>

#include "soak.h"

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15;
	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9;
}

static uint64_t seed_of(const struct soak_packet *p)
{
	return mix((uint64_t)p->open << 34 ^ (uint64_t)p->kind << 32 ^ p->number);
}

/* Mostly small; some are empty, and some large. */
static uint32_t size_of(uint64_t seed)
{
	uint32_t which = seed >> 58, size = (seed >> 20) & 0xffff;

	if (which == 0)
		return size % (LARGEST + 1);
	if (which == 1)
		return 0;
	return 8 + size % 184;
}

uint32_t soak_fill(const struct soak_packet *p, uint8_t *bytes)
{
	uint64_t word = seed_of(p);
	uint32_t size = size_of(word), at;

	for (at = 0; at + 8 <= size; at += 8) {
		memcpy(bytes + at, &word, 8);
		word = word * 6364136223846793005 + 1442695040888963407;
	}
	memcpy(bytes + at, &word, size - at);
	return size;
}

bool soak_holds(const struct soak_packet *p, const uint8_t *bytes, uint32_t size)
{
	uint8_t due[LARGEST + 8];
	uint32_t filled = soak_fill(p, due), padded = (filled + 7) / 8 * 8;

	memset(due + filled, 0, padded - filled);
	return size == padded && !memcmp(bytes, due, size);
}
