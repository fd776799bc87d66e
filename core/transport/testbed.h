/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test bed: an ivshmem device of QEMU, behind which a process plays the host. All the host can see of
 * this guest is BAR 2, laid out as testbed_abi.h says. What the files of airlock_testbed.ko know
 * of each other.
 */
#ifndef AIRLOCK_TESTBED_H
#define AIRLOCK_TESTBED_H

#include <linux/bitmap.h>
#include <linux/memremap.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "hostmem.h"
#include "testbed_abi.h"
#include "transport.h"

struct airlock_connection;
struct testbed;

/* A processor that the host can interrupt: vector @cpu of the device. */
struct testbed_cpu {
	struct testbed *testbed;
	u32 cpu;
	struct hostmem messages, events;	/* SynIC pages */
};

struct testbed {
	struct transport transport;
	struct visibility visibility;
	struct pci_dev *pci;
	struct airlock_connection *connection;
	void __iomem *registers;
	struct dev_pagemap pagemap;		/* of the BAR: its pages have page structures */
	void *at;				/* of the BAR */
	u32 bar_pages;
	struct testbed_cpu cpus[TESTBED_CPUS_MAX];

	/* as the host said, once, within bounds */
	u32 pages;				/* no more than bar_pages */
	u32 peer;

	spinlock_t post_lock;
	u32 post_tail;				/* the next entry that is free */

	struct mutex pages_lock;
	DECLARE_BITMAP(used, TESTBED_PAGES_MAX);
	u32 next_page;				/* where to look for free ones first */
};

static inline u8 __host *testbed_byte(const struct testbed *t, u32 offset)
{
	return (u8 __host *)((unsigned long)t->at + offset);
}

static inline u32 __host *testbed_word(const struct testbed *t, u32 offset)
{
	return (u32 __host *)testbed_byte(t, offset);
}

/* testbed_memory.c: pages of the BAR */
void testbed_memory_init(struct testbed *t);
u32 testbed_memory_used(struct testbed *t);

/* testbed_transport.c: messages and signals; what the host is told of us */
void testbed_transport_init(struct testbed *t);
int __must_check testbed_meet_host(struct testbed *t);
int __must_check testbed_synic_create(struct testbed *t);
void testbed_synic_destroy(struct testbed *t);
void testbed_begin(struct testbed *t);
void testbed_ready(struct testbed *t);
void testbed_gone(struct testbed *t);

#endif
