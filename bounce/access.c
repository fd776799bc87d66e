// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of host memory. A fetch is the only look a message ever gets at its original, so
 * no byte of it may be loaded twice: the loads are spelled out, and never left to memcpy(),
 * which compilers take the liberty to repeat, split or leave out.
 */
#include <linux/export.h>
#include <linux/string.h>

#include "access.h"

#ifdef AIRLOCK_FETCH_HOOK
void (*airlock_fetch_hook)(const void *at, u32 size);
#endif

#define GROUP (4 * sizeof(host_word))

static __always_inline __no_kcsan void fetch_two(u8 *to, const volatile u8 *from)
{
	host_word *words = (host_word *)to;

	words[0] = host_fetch_word(from);
	words[1] = host_fetch_word(from + 8);
}

/* Four words at a time, so that the loads count and not the loop; then what is left, without one. */
static __no_kcsan void fetch_words(u8 *to, const volatile u8 *from, u32 size)
{
	for (; size >= GROUP; size -= GROUP, to += GROUP, from += GROUP) {
		fetch_two(to, from);
		fetch_two(to + 16, from + 16);
	}
	if (size & 16) {
		fetch_two(to, from);
		to += 16;
		from += 16;
	}
	if (size & 8) {
		*(host_word *)to = host_fetch_word(from);
		to += 8;
		from += 8;
	}
	for (size %= 8; size; size--) {
		host_fetching((const void *)from, 1);
		*to++ = *from++;
	}
}

#if defined(__x86_64__) && !defined(AIRLOCK_FETCH_HOOK) && !defined(AIRLOCK_FETCH_WORDS)
/*
 * The processor's own copy is as fast as its memory, but takes about as long to start as words
 * take for what is shorter than this.
 */
#define LONG_FETCH 384

static void fetch_long(u8 *to, const volatile u8 *from, u32 size)
{
	unsigned long count = size;

	__asm__ __volatile__("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
#else
#define LONG_FETCH 0xffffffff
#define fetch_long fetch_words
#endif

/**
 * host_fetch_range() - what host_fetch() does for sizes only known at run time
 * @to: private memory, @size bytes
 * @from: host memory, @size bytes, at any alignment
 * @size: bytes
 *
 * A testing build fetches word by word, and says so before each of them.
 *
 * Context: any.
 */
void host_fetch_range(void *to, const void __host *from, u32 size)
{
	if (size >= LONG_FETCH)
		fetch_long(to, host_address(from), size);
	else
		fetch_words(to, host_address(from), size);
}
EXPORT_SYMBOL_GPL(host_fetch_range);

/**
 * host_store() - copy bytes of private memory to the host
 * @to: host memory, @size bytes, at any alignment
 * @from: private memory, @size bytes; the host reads all of them
 * @size: bytes
 *
 * Nothing is read back. Context: any.
 */
void host_store(void __host *to, const void *from, u32 size)
{
	memcpy(host_address(to), from, size);
}
EXPORT_SYMBOL_GPL(host_store);

/**
 * host_clear() - fill host memory with zeros
 * @to: host memory, @size bytes, at any alignment
 * @size: bytes
 *
 * Context: any.
 */
void host_clear(void __host *to, u32 size)
{
	memset(host_address(to), 0, size);
}
EXPORT_SYMBOL_GPL(host_clear);
