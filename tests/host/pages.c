// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory as the host reaches it: page by page, by number, and only as long as the guest
 * shows the page. Loads and stores are atomic, because the guest may be at it too.
 */
#include <string.h>

#include "inside.h"
#include "memory.h"
#include "sanitize.h"

bool host_races;

uint8_t *host_page(bool private, uint64_t gfn, uint32_t offset, uint32_t size)
{
	return private ? sim_paravisor_memory(gfn, offset, size) : sim_host_memory(gfn, offset, size);
}

void *host_memory(uint64_t gfn, uint32_t offset, uint32_t size)
{
	return host_page(false, gfn, offset, size);
}

static bool aligned(const void *a, const void *b, uint32_t size)
{
	return (((uintptr_t)a | (uintptr_t)b | size) & 7) == 0;
}

static void read_shared(void *to, const void *from, uint32_t size)
{
	const uint8_t *source = from;
	uint8_t *sink = to;
	uint32_t i;

	if (aligned(to, from, size)) {
		for (i = 0; i < size; i += 8)
			*(uint64_t *)(sink + i) = __atomic_load_n((const uint64_t *)(source + i), __ATOMIC_RELAXED);
		return;
	}
	for (i = 0; i < size; i++)
		sink[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
}

static void write_shared(void *to, const void *from, uint32_t size)
{
	const uint8_t *source = from;
	uint8_t *sink = to;
	uint32_t i;

	if (aligned(to, from, size)) {
		for (i = 0; i < size; i += 8)
			__atomic_store_n((uint64_t *)(sink + i), *(const uint64_t *)(source + i), __ATOMIC_RELAXED);
		return;
	}
	for (i = 0; i < size; i++)
		__atomic_store_n(sink + i, source[i], __ATOMIC_RELAXED);
}

/* Of @from, which the guest may change meanwhile. */
void host_shared_read(void *to, const void *from, uint32_t size)
{
	bool meant = host_races;

	if (meant)
		RACES_MEANT_BEGIN();
	read_shared(to, from, size);
	if (meant)
		RACES_MEANT_END();
}

/* Into @to, which the guest may read meanwhile. */
void host_shared_write(void *to, const void *from, uint32_t size)
{
	bool meant = host_races;

	if (meant)
		RACES_MEANT_BEGIN();
	write_shared(to, from, size);
	if (meant)
		RACES_MEANT_END();
}

void host_read_range(const uint64_t *gfns, uint32_t offset, void *to, uint32_t size)
{
	uint8_t *sink = to;
	uint32_t part;

	for (; size; size -= part, sink += part, offset += part) {
		part = FRAME - offset % FRAME;
		part = part < size ? part : size;
		host_shared_read(sink, host_memory(gfns[offset / FRAME], offset % FRAME, part), part);
	}
}

void host_write_range(const uint64_t *gfns, uint32_t offset, const void *from, uint32_t size)
{
	const uint8_t *source = from;
	uint32_t part;

	for (; size; size -= part, source += part, offset += part) {
		part = FRAME - offset % FRAME;
		part = part < size ? part : size;
		host_shared_write(host_memory(gfns[offset / FRAME], offset % FRAME, part), source, part);
	}
}

bool host_page_visible(bool private, uint64_t gfn)
{
	return private || sim_is_shared(gfn);
}

bool host_pages_clear(bool private, const uint64_t *gfns, uint32_t count)
{
	uint8_t page[FRAME] __attribute__((aligned(8)));
	uint32_t i;

	for (i = 0; i < count; i++) {
		host_shared_read(page, host_page(private, gfns[i], 0, FRAME), FRAME);
		if (any_set(page, FRAME))
			return false;
	}
	return true;
}

/* Whether six bytes at @p continue the secret from its byte @phase on. */
static bool is_secret(const uint8_t *p, unsigned int phase)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (p[i] != sim_secret[(phase + i) % 16])
			return false;
	}
	return true;
}

bool host_leaks(const void *bytes, uint32_t size)
{
	const uint8_t *p = bytes;
	unsigned int phase;
	uint32_t i;

	for (i = 0; i + 6 <= size; i++) {
		for (phase = 0; phase < 16; phase++) {
			if (p[i] == sim_secret[phase] && is_secret(p + i, phase))
				return true;
		}
	}
	return false;
}
