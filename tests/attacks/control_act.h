/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What attacks on the control path have in common: messages of the host made by hand, and the
 * slot they are read from.
 */
#ifndef AIRLOCK_TESTS_CONTROL_ACT_H
#define AIRLOCK_TESTS_CONTROL_ACT_H

#include <string.h>

#include "attack.h"
#include "memory.h"
#include "script.h"
#include "shim.h"

#define SLOT_OF_VMBUS 512	/* in a message page: SINT 2 */

static inline void put16(u8 *p, u16 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

static inline void put32(u8 *p, u32 v)
{
	put16(p, (u16)v);
	put16(p + 2, (u16)(v >> 16));
}

static inline u32 get32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* The message slot of a processor. */
static inline u8 *slot_of(u32 cpu)
{
	return host_memory(scene->host->synic[cpu].slots, SLOT_OF_VMBUS, 256);
}

/* The processor that hears messages. */
static inline u32 hearing_cpu(void)
{
	return scene->connection.connect_cpu;
}

/* A message whose fields after the type are given as 32-bit words, @size bytes in all. */
static inline void host_says_words(u32 type, u32 size, const u32 *words)
{
	u8 m[240] = { 0 };
	u32 i;

	put32(m, type);
	for (i = 0; 8 + 4 * i < size; i++)
		put32(m + 8 + 4 * i, words[i]);
	strike_on_fetch(slot_of(hearing_cpu()), 256, "the message");
	host_post(scene->host, m, size);
}

#define host_says(type, size, ...) host_says_words(type, size, (const u32[60]){ __VA_ARGS__ })

/* An offer as a host would make it, of a device of its own; change what is to be wrong. */
static inline void make_offer(u8 *m, const u8 *class, const u8 *instance, u32 relid)
{
	memset(m, 0, 196);
	put32(m, CONTROL_MESSAGE_TYPE_OFFER);
	memcpy(m + 8, class, 16);
	memcpy(m + 24, instance, 16);
	put32(m + 184, relid);
	m[188] = 0xff;
	put16(m + 190, 1);
	put32(m + 192, 0x2000 + relid);
}

static inline void host_offers(const u8 *m)
{
	strike_on_fetch(slot_of(hearing_cpu()), 256, "the offer");
	host_post(scene->host, m, 196);
}

/* Class and instance of the scene's plain device. */
static inline const u8 *plain_class(void)
{
	return scene->echo.class;
}

/* From now on the host does what the script says. */
static inline void act(const char *text)
{
	expect(!host_script(scene->host, text, "act"));
}

/* The script's first line has struck: the act was done. */
static inline void acted(void)
{
	uint64_t times = host_script_struck(scene->host, 1);

	expect(times);
	strike("the host did it, %llu times", (unsigned long long)times);
}

/* Back to honesty. */
static inline void act_no_more(void)
{
	expect(!host_script(scene->host, NULL, "act"));
}

/* The message is dropped for this rule, and all goes on. */
static inline void message_is_dropped(const char *rule)
{
	scene_run(50);
	expect_rule(rule);
	scene_works();
	scene_end(0);
}

#endif
