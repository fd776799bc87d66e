/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the test bed, version 1: what docs/testbed-abi.md says, as numbers. The device is
 * QEMU's ivshmem-doorbell; its BAR 2 is all the memory that the host sees. Pages of 4096 bytes are
 * named by their number in it, from 0. Everything is little-endian.
 */
#ifndef AIRLOCK_TESTBED_ABI_H
#define AIRLOCK_TESTBED_ABI_H

#define TESTBED_MAGIC 0x006b636f6c726961ULL	/* "airlock", NUL */
#define TESTBED_VERSION 1
#define TESTBED_CPUS_MAX 32
#define TESTBED_PAGES_MAX 65536			/* 256 MiB */

/* Page 0. Of the host: written before TESTBED_HOST_STATE, then left alone. */
#define TESTBED_HOST_MAGIC 0x000		/* u64 */
#define TESTBED_HOST_VERSION 0x008		/* u32 */
#define TESTBED_HOST_PEER 0x00c			/* u32: whom doorbells of the guest go to */
#define TESTBED_HOST_PAGES 0x010		/* u32: of the BAR */
#define TESTBED_HOST_CPUS 0x014			/* u32: processors that it can interrupt */
#define TESTBED_HOST_STATE 0x020		/* u32, last: enum testbed_host_state */

/* Of the guest. */
#define TESTBED_GUEST_STATE 0x040		/* u32: enum testbed_guest_state */
#define TESTBED_GUEST_CPUS 0x044		/* u32: processors that have SynIC pages */
#define TESTBED_GUEST_EOM 0x048			/* u32, a bit a processor: set by the guest, taken by the host */
#define TESTBED_GUEST_INCARNATION 0x04c		/* u32: another number at each READY in this memory */
#define TESTBED_GUEST_SYNIC 0x080		/* for each processor: u32 page of messages, u32 page of event flags */

/*
 * Pages 1 and 3: what the guest posts. Entries from the host's index up to the guest's are the host's.
 * Indices begin at 0 with each guest, and wrap: the number of entries is a power of two.
 */
#define TESTBED_POST_TAIL 0x1000		/* u32, the guest's index */
#define TESTBED_POST_HEAD 0x1040		/* u32, the host's */
#define TESTBED_POST_ENTRIES 0x3000		/* inputs of HvPostMessage, 256 bytes each */
#define TESTBED_POSTS 16			/* index modulo this is the entry */

/* Page 2: a bit for each connection id modulo TESTBED_SIGNALS, in words of 32: set by the guest, taken by the host. */
#define TESTBED_SIGNAL_BITS 0x2000
#define TESTBED_SIGNALS 4096

/* Pages 16 to 31: a byte for each page of the BAR, what the guest means it to be. */
#define TESTBED_PAGE_STATES 0x10000
#define TESTBED_PAGE_HIDDEN 0			/* nobody's, or not for the host */
#define TESTBED_PAGE_SHARED 1

#define TESTBED_FIRST_PAGE 32			/* from here on the guest allocates */

/* In a page of messages, and of event flags, what belongs to interrupt source 2. */
#define TESTBED_SYNIC_SLOT 512

enum testbed_host_state { TESTBED_HOST_ABSENT, TESTBED_HOST_READY };

/*
 * READY: interrupts are enabled, SynIC pages named; everything of an earlier guest is forgotten, be it
 * that the host never saw the state in between: then the incarnation is another one.
 * GONE: no page is the host's any more.
 */
enum testbed_guest_state { TESTBED_GUEST_ABSENT, TESTBED_GUEST_READY, TESTBED_GUEST_GONE };

/*
 * Doorbells: vector 0 of the host's peer means "look": at states, posts, signals, ends of messages. Vector
 * n of the guest's is the interrupt of processor n: there may be a message, or an event.
 */
#define TESTBED_DOORBELL_LOOK 0

#endif
