/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only door to memory the host can write. Words are fetched by one aligned load each,
 * ranges byte for byte once; stores go in one direction and nothing is ever read back.
 * Whoever holds a __host pointer can do nothing with it but call these.
 */
#ifndef AIRLOCK_ACCESS_H
#define AIRLOCK_ACCESS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/sync_bitops.h>

/* Memory of the host: not to be dereferenced. sparse sees to it, and clang's -Wnoderef. */
#if defined(__CHECKER__)
#define __host __attribute__((noderef, address_space(__host)))
#elif defined(__clang__)
#define __host __attribute__((noderef))
#else
#define __host
#endif

/*
 * A testing build is told of every fetch before it happens, and may change what is about to
 * be fetched, or find that it was fetched before.
 */
#ifdef AIRLOCK_FETCH_HOOK
extern void (*airlock_fetch_hook)(const void *at, u32 size);
#define host_fetching(at, size) do {		\
	if (airlock_fetch_hook)			\
		airlock_fetch_hook(at, size);	\
} while (0)
#else
#define host_fetching(at, size) do { } while (0)
#endif

/* Casting by way of an integer is how sparse and clang let an address space go. */
#define host_address(p) ((void *)(unsigned long)(p))

/**
 * host_load32() - fetch a word of the host, once
 * @p: an aligned word the host may change at any time
 *
 * Context: any.
 * Return: what it was at one moment.
 */
static inline u32 host_load32(const u32 __host *p)
{
	const u32 *word = host_address(p);

	host_fetching(word, sizeof(*word));
	return READ_ONCE(*word);
}

/* The same; no later access overtakes it. Pairs with the host's release of an index. */
static inline u32 host_load32_acquire(const u32 __host *p)
{
	const u32 *word = host_address(p);

	host_fetching(word, sizeof(*word));
	return virt_load_acquire(word);
}

static inline void host_store32(u32 __host *p, u32 value)
{
	u32 *word = host_address(p);

	WRITE_ONCE(*word, value);
}

/* No earlier access, load or store, sinks below it. */
static inline void host_store32_release(u32 __host *p, u32 value)
{
	u32 *word = host_address(p);

	virt_store_release(word, value);
}

/* Takes a word and leaves 0, in one step: event flags. */
static inline u32 host_take32(u32 __host *p)
{
	u32 *word = host_address(p);

	host_fetching(word, sizeof(*word));
	return xchg(word, 0);
}

/*
 * Stores @to if the word still is @from; one attempt, and a full barrier if it succeeds. Never
 * plain cmpxchg(): in a guest of one processor the kernel drops its lock, and the host has others.
 */
static inline bool host_replace32(u32 __host *p, u32 from, u32 to)
{
	u32 *word = host_address(p);

	host_fetching(word, sizeof(*word));
	return sync_cmpxchg(word, from, to) == from;
}

/*
 * Sets bit @bit without disturbing the others, in one step: monitor pages. Never atomic_or(), for the
 * same reason. The kernel's bits are of longs: the word is the lower or the upper half of one.
 */
static inline void host_set_bit32(u32 __host *p, u32 bit)
{
	unsigned long at = (unsigned long)p, offset = at % sizeof(long);

	sync_set_bit(bit + 8 * offset, (unsigned long *)(at - offset));
}

/* Eight bytes at any address, of whatever type they were written. */
typedef u64 __attribute__((__may_alias__, __aligned__(1))) host_word;

/* The word at @at, which the compiler must fetch, and only here. The race with the host is meant. */
static inline __no_kcsan u64 host_fetch_word(const volatile u8 *at)
{
	host_fetching((const void *)at, sizeof(host_word));
	return *(const volatile host_word *)at;
}

void host_fetch_range(void *to, const void __host *from, u32 size);

/**
 * host_fetch() - copy bytes of the host to private memory, each fetched once
 * @to: private memory, @size bytes
 * @from: host memory, @size bytes, at any alignment; the host may write it meanwhile
 * @size: bytes
 *
 * What is copied may be a mixture of several things the host wrote. It is one message all the
 * same, because nobody looks at the original again. Sizes known to the compiler, those of
 * descriptors, are a few loads in place.
 *
 * Context: any.
 */
static inline void host_fetch(void *to, const void __host *from, u32 size)
{
	const volatile u8 *host = host_address(from);
	u32 at;

	if (!__builtin_constant_p(size) || size > 32 || size % sizeof(host_word)) {
		host_fetch_range(to, from, size);
		return;
	}
	for (at = 0; at < size; at += sizeof(host_word))
		*(host_word *)((u8 *)to + at) = host_fetch_word(host + at);
}

void host_store(void __host *to, const void *from, u32 size);
void host_clear(void __host *to, u32 size);

#endif
