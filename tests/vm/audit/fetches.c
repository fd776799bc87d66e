// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCG plugin: which byte of host memory do modules fetch twice within one message? A message ends when
 * the guest publishes an index of any ring, or frees a slot: see docs/fetch-auditor.md.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define MODULES 0xffffffffc0000000u
#define BAR_MAX (256u << 20)
#define FIRST_BYTE 0x20000u		/* behind the test bed's own pages */
#define MAGIC_LOW 0x6c726961u
#define CONTROL_WORDS 64u
#define SYNIC_AT 0x80u			/* where the guest names its SynIC pages: messages, flags */
#define SYNIC_END 0x180u
#define SLOT_AT 512u
#define SLOT_HEAD 8u
enum page { OTHER, CONTROL, SLOTS, FLAGS };
#define REPORTS 64

struct report { uint64_t first, second, count, offset; };

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_VERSION;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t bar, fetches, messages, excepted, doubles;
static uint32_t epoch = 1, *when;	/* of each byte: the message it was fetched in */
static uint32_t *who;			/* and the low half of the address of the code */
static uint8_t pages[BAR_MAX / 4096];	/* enum page */
static struct report reports[REPORTS];

/* Words that may be looked at again, each time for a new value: see docs/fetch-auditor.md. */
static bool is_excepted(uint64_t offset)
{
	uint32_t in_page = offset % 4096;

	switch (pages[offset / 4096]) {
	case CONTROL:
		return in_page < CONTROL_WORDS;
	case SLOTS:
		return in_page >= SLOT_AT && in_page < SLOT_AT + SLOT_HEAD;
	case FLAGS:
		return true;
	default:
		return offset < FIRST_BYTE;
	}
}

static void note_double(uint64_t offset, uint64_t first, uint64_t second)
{
	struct report *r = reports;

	doubles++;
	while (r < reports + REPORTS - 1 && r->count && (r->first != first || r->second != second || r->offset != offset))
		r++;
	if (!r->count)
		*r = (struct report) { first, second, 0, offset };
	r->count++;
}

static void fetched(uint64_t offset, uint32_t size, uint64_t pc)
{
	uint64_t at;

	if (is_excepted(offset)) {
		excepted++;
		return;
	}
	fetches++;
	for (at = offset; at < offset + size; at++)
		if (when[at] == epoch) {
			note_double(at, 0xffffffff00000000u | who[at], pc);
			break;
		}
	for (at = offset; at < offset + size; at++) {
		when[at] = epoch;
		who[at] = (uint32_t)pc;
	}
}

/* Indices are words 0 and 1 of a ring's first page; a slot's type is the first word of a slot. */
static void stored(uint64_t offset, uint32_t size, uint32_t value)
{
	uint32_t in_page = offset % 4096;

	if (offset >= SYNIC_AT && offset < SYNIC_END && size == 4 && value < BAR_MAX / 4096)
		pages[value] = offset % 8 ? FLAGS : SLOTS;
	if (offset < FIRST_BYTE || size != 4)
		return;
	if (in_page != 0 && in_page != 4 && (in_page != SLOT_AT || pages[offset / 4096] != SLOTS))
		return;
	if (in_page != SLOT_AT && pages[offset / 4096] == OTHER)
		pages[offset / 4096] = CONTROL;
	epoch++;
	messages++;
}

static void accessed(unsigned int cpu, uint32_t info, uint64_t vaddr, void *pc)
{
	uint32_t size = 1u << qemu_plugin_mem_size_shift(info);
	void *address = qemu_plugin_get_hwaddr(info, vaddr);
	uint64_t place = address ? qemu_plugin_hwaddr_phys_addr(address) : 0;
	struct plugin_value value;

	(void)cpu;
	pthread_mutex_lock(&lock);
	if (!bar && place % 4096 == 0 && size >= 4 && !qemu_plugin_mem_is_store(info)) {
		value = qemu_plugin_mem_get_value(info);
		if (value.data.u32 == MAGIC_LOW)
			bar = place;
	}
	if (bar && place >= bar && place - bar < BAR_MAX - 16) {
		if (qemu_plugin_mem_is_store(info))
			stored(place - bar, size, qemu_plugin_mem_get_value(info).data.u32);
		else
			fetched(place - bar, size, (uint64_t)pc);
	}
	pthread_mutex_unlock(&lock);
}

static void translated(uint64_t id, void *tb)
{
	size_t i, count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < count; i++) {
		void *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);

		if (pc >= MODULES)
			qemu_plugin_register_vcpu_mem_cb(insn, accessed, PLUGIN_NO_REGISTERS, PLUGIN_BOTH, (void *)pc);
	}
}

static void ended(uint64_t id, void *data)
{
	struct report *r;

	(void)id;
	(void)data;
	fprintf(stderr, "fetches: bar 0x%llx\n", (unsigned long long)bar);
	for (r = reports; r < reports + REPORTS && r->count; r++) {
		/* The page turned out to be one of indices only after the first looks at it. */
		if (is_excepted(r->offset)) {
			doubles -= r->count;
			excepted += r->count;
			continue;
		}
		fprintf(stderr, "fetches: double at 0x%llx: %llx then %llx, %llu times\n", (unsigned long long)r->offset,
			(unsigned long long)r->first, (unsigned long long)r->second, (unsigned long long)r->count);
	}
	fprintf(stderr, "fetches: %llu double fetches in %llu fetches of %llu messages, %llu excepted\n",
		(unsigned long long)doubles, (unsigned long long)fetches, (unsigned long long)messages,
		(unsigned long long)excepted);
}

PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	when = calloc(BAR_MAX, sizeof(*when));
	who = calloc(BAR_MAX, sizeof(*who));
	if (!when || !who)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
