/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's ring_buffer.c and linux/hyperv.h need beyond the test shim: types to have a
 * size, and a vmap() that gives out memory which is mapped twice already.
 */
#ifndef AIRLOCK_BENCH_KERNEL_STUBS_H
#define AIRLOCK_BENCH_KERNEL_STUBS_H

#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>

#define KBUILD_MODNAME "bench"
#define EXPORT_SYMBOL_GPL(name) extern int bench_nothing
#define VM_MAP 0
#define PAGE_KERNEL 0
#define HV_HYP_PAGE_SIZE 4096
#define HV_HYP_PAGE_SHIFT 12
#define MESSAGE_DELAY 0
#define pgprot_decrypted(protection) (protection)
#define hv_debug_delay_test(channel, delay) ((void)(channel))
#define container_of_const container_of
#define is_vmalloc_addr(p) ((void)(p), 0)
#define vmalloc_to_page(p) ((struct page *)(p))
#define page_to_phys(page) ((phys_addr_t)(unsigned long)(page))
#define __pa(p) ((unsigned long)(p))
#ifndef BUILD_BUG_ON
#define BUILD_BUG_ON(condition) ((void)sizeof(char[1 - 2 * !!(condition)]))
#endif

typedef struct { u8 b[16]; } guid_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef u64 resource_size_t;

#define GUID_INIT(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7) { { 0 } }

struct page { int unused; };
struct kobject { int unused; };
struct rcu_head { int unused; };
struct kset;
struct dentry;
struct pci_dev;
struct vm_area_struct;
struct device { void *data; };
struct device_driver { int unused; };
struct device_dma_parameters { int unused; };
struct hv_vmbus_device_id;
struct module;
struct resource;
struct reciprocal_value { u32 m; };

static inline struct reciprocal_value reciprocal_value(u32 divisor)
{
	return (struct reciprocal_value){ divisor };
}

static inline u32 reciprocal_divide(u32 n, struct reciprocal_value divisor)
{
	return n / divisor.m;
}

static inline void *dev_get_drvdata(const struct device *device)
{
	return device->data;
}

static inline void dev_set_drvdata(struct device *device, void *data)
{
	device->data = data;
}

#ifdef KERNEL_MEMCPY
void *bench_kernel_memcpy(void *to, const void *from, size_t bytes);
#define memcpy bench_kernel_memcpy
#endif

void *bench_map_twice(void);

static inline void *vmap(struct page **pages, unsigned int count, unsigned long flags, int protection)
{
	(void)pages;
	(void)count;
	(void)flags;
	(void)protection;
	return bench_map_twice();
}

static inline void vunmap(const void *at)
{
	(void)at;
}

struct vmbus_channel;
struct hv_ring_buffer_info;
struct hv_ring_buffer_debug_info;

/* Of hyperv_vmbus.h. */
void hv_ringbuffer_pre_init(struct vmbus_channel *channel);
int hv_ringbuffer_init(struct hv_ring_buffer_info *ring, struct page *pages, u32 count, u32 packet_bytes);
void hv_ringbuffer_cleanup(struct hv_ring_buffer_info *ring);
int hv_ringbuffer_write(struct vmbus_channel *channel, const struct kvec *pieces, u32 count, u64 request,
			u64 *id);
int hv_ringbuffer_read(struct vmbus_channel *channel, void *buffer, u32 size, u32 *actual, u64 *request, bool raw);

#endif
