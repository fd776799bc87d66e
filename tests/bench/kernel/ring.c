// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drives the kernel's ring_buffer.c as its drivers do: read with the packet iterator, send as
 * vmbus_sendpacket() does. It stands on a channel that has nothing but two rings. Built twice, as
 * KERNEL_RING: with the kernel's memcpy() and with the C library's.
 */
#include <linux/hyperv.h>

#include "../bench.h"

static struct vmbus_channel channel;
static u8 *memory;
static u64 signals;

void *bench_map_twice(void)
{
	return memory;
}

void vmbus_setevent(struct vmbus_channel *c)
{
	(void)c;
	signals++;
}

void shim_mutex_init(struct mutex *lock, struct shim_lock_class *class)
{
	(void)lock;
	(void)class;
}

void shim_mutex_lock(struct mutex *lock, bool nested)
{
	(void)lock;
	(void)nested;
}

void mutex_unlock(struct mutex *lock)
{
	(void)lock;
}

/* One memory for both rings: only one of them is ever used at a time. */
static void ring_open(u8 *at, u32 pages, u32 packet_bytes)
{
	static struct page unused[1024];

	memory = at;
	hv_ringbuffer_pre_init(&channel);
	check(!hv_ringbuffer_init(&channel.inbound, unused, pages, packet_bytes), "the kernel's ring");
	check(!hv_ringbuffer_init(&channel.outbound, unused, pages, 0), "the kernel's ring");
}

static void ring_close(void)
{
	hv_ringbuffer_cleanup(&channel.inbound);
	hv_ringbuffer_cleanup(&channel.outbound);
}

static void ring_reading_at(u32 index)
{
	channel.inbound.priv_read_index = index;
}

static u64 ring_read_all(u64 *sum)
{
	struct vmpacket_descriptor *packet;
	u64 count = 0;

	foreach_vmbus_pkt(packet, &channel) {
		*sum += packet->trans_id;
		count++;
	}
	return count;
}

static int ring_send(const u8 *payload, u32 bytes, u64 transaction, bool wants_completion)
{
	u32 size = sizeof(struct vmpacket_descriptor) + bytes, whole = ALIGN(size, sizeof(u64));
	struct vmpacket_descriptor packet = {
		.type = VM_PKT_DATA_INBAND, .offset8 = sizeof(packet) >> 3, .len8 = (u16)(whole >> 3),
		.flags = wants_completion ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0,
		.trans_id = transaction,
	};
	u64 zeros = 0;
	struct kvec pieces[] = {
		{ &packet, sizeof(packet) }, { (void *)payload, bytes }, { &zeros, whole - size },
	};

	return hv_ringbuffer_write(&channel, pieces, 3, transaction, NULL);
}

static u64 ring_signals(void)
{
	return signals;
}

const struct kernel_ring KERNEL_RING = {
	.open = ring_open, .close = ring_close, .reading_at = ring_reading_at,
	.read_all = ring_read_all, .send = ring_send, .signals = ring_signals,
};
