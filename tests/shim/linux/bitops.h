/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits of arrays of longs, atomic without and plain with two underscores. */
#ifndef AIRLOCK_SHIM_BITOPS_H
#define AIRLOCK_SHIM_BITOPS_H

#include <strings.h>

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#define BITS_TO_LONGS(bits) (((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

#define SHIM_WORD(bit) ((unsigned long)(bit) / BITS_PER_LONG)
#define SHIM_BIT(bit) (1UL << ((unsigned long)(bit) % BITS_PER_LONG))

static inline bool test_bit(long bit, const unsigned long *words)
{
	return READ_ONCE(words[SHIM_WORD(bit)]) & SHIM_BIT(bit);
}

static inline void set_bit(long bit, unsigned long *words)
{
	__atomic_fetch_or(&words[SHIM_WORD(bit)], SHIM_BIT(bit), __ATOMIC_RELAXED);
}

static inline void clear_bit(long bit, unsigned long *words)
{
	__atomic_fetch_and(&words[SHIM_WORD(bit)], ~SHIM_BIT(bit), __ATOMIC_RELAXED);
}

static inline bool test_and_set_bit(long bit, unsigned long *words)
{
	return __atomic_fetch_or(&words[SHIM_WORD(bit)], SHIM_BIT(bit), __ATOMIC_SEQ_CST) & SHIM_BIT(bit);
}

static inline bool test_and_clear_bit(long bit, unsigned long *words)
{
	return __atomic_fetch_and(&words[SHIM_WORD(bit)], ~SHIM_BIT(bit), __ATOMIC_SEQ_CST) & SHIM_BIT(bit);
}

static inline void __set_bit(long bit, unsigned long *words)
{
	words[SHIM_WORD(bit)] |= SHIM_BIT(bit);
}

static inline void __clear_bit(long bit, unsigned long *words)
{
	words[SHIM_WORD(bit)] &= ~SHIM_BIT(bit);
}

/* Of a word that is not 0: the number of its lowest bit. */
static inline unsigned long __ffs(unsigned long word)
{
	return (unsigned long)__builtin_ctzl(word);
}

/* The number of the highest bit, counted from 1; 0 of 0. */
static inline int fls(unsigned int word)
{
	return word ? 32 - __builtin_clz(word) : 0;
}

static inline int fls64(u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

static inline unsigned int hweight32(u32 word)
{
	return (unsigned int)__builtin_popcount(word);
}

static inline unsigned int hweight64(u64 word)
{
	return (unsigned int)__builtin_popcountll(word);
}

#endif
