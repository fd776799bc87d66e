// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots of pages that the host has seen since the pool was made, and the copies between
 * them and private memory. Only the validated length of an answer ever comes in, and no
 * byte goes out that is not the request's own.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pool.h"

static int pool_fill(struct bounce_pool *pool, u32 cpus)
{
	u32 i;

	pool->free = kvcalloc(pool->slots, sizeof(*pool->free), GFP_KERNEL);
	pool->gfns = kvcalloc(pool->slots, sizeof(*pool->gfns), GFP_KERNEL);
	pool->caches = kvcalloc(cpus, sizeof(*pool->caches), GFP_KERNEL);
	if (!pool->free || !pool->gfns || !pool->caches)
		return -ENOMEM;
	pool->cache_count = cpus;
	/* Idle processors keep no more than half of the pool together. */
	pool->cache_most = min_t(u32, POOL_CACHE, pool->slots / 2 / cpus);
	for (i = 0; i < cpus; i++)
		spin_lock_init(&pool->caches[i].lock);
	/* The first slot on top: neighbours are taken together, and copied together. */
	for (i = 0; i < pool->slots; i++) {
		pool->free[i] = pool->slots - 1 - i;
		pool->gfns[i] = hostmem_gfn(&pool->memory, i);
	}
	pool->free_count = pool->slots;
	return 0;
}

/**
 * pool_create() - share a device's bounce pages
 * @pool: anything; filled in on success, zeroed on failure
 * @v: how pages change sides
 * @slots: pages, and what the device may have on its way at most
 * @cpus: processors that get a cache
 * @private: of a confidential channel
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM, or why the pages could not be shared.
 */
int pool_create(struct bounce_pool *pool, struct visibility *v, u32 slots, u32 cpus, bool private)
{
	int error;

	memset(pool, 0, sizeof(*pool));
	if (!slots || !cpus)
		return -EINVAL;
	error = hostmem_create(&pool->memory, v, slots, private);
	if (error)
		return error;
	spin_lock_init(&pool->lock);
	pool->slots = slots;
	error = pool_fill(pool, cpus);
	if (error)
		pool_destroy(pool, true);
	return error;
}
EXPORT_SYMBOL_GPL(pool_create);

/**
 * pool_destroy() - take all pages back from the host, or leak them
 * @pool: made by pool_create(), or zeroed; zeroed afterwards. No request holds slots
 * @given_back: the host has answered all requests, or the channel is closed and it said so
 *
 * Context: may sleep.
 */
void pool_destroy(struct bounce_pool *pool, bool given_back)
{
	hostmem_destroy(&pool->memory, given_back);
	kvfree(pool->free);
	kvfree(pool->gfns);
	kvfree(pool->caches);
	memset(pool, 0, sizeof(*pool));
}
EXPORT_SYMBOL_GPL(pool_destroy);

/* Takes up to @most from the top of a stack, in the order in which they were put there. */
static u32 stack_take(const u32 *stack, u32 *count, u32 *slots, u32 most)
{
	u32 taken = min(*count, most), i;

	for (i = 0; i < taken; i++)
		slots[i] = stack[--*count];
	return taken;
}

/* The last on top of which the first lies: they come off as they went on. */
static void stack_put(u32 *stack, u32 *count, const u32 *slots, u32 n)
{
	while (n)
		stack[(*count)++] = slots[--n];
}

static u32 cache_take(struct pool_cache *cache, u32 *slots, u32 most)
{
	unsigned long flags;
	u32 taken;

	spin_lock_irqsave(&cache->lock, flags);
	taken = stack_take(cache->slots, &cache->count, slots, most);
	spin_unlock_irqrestore(&cache->lock, flags);
	return taken;
}

static u32 shared_take(struct bounce_pool *pool, u32 *slots, u32 most)
{
	unsigned long flags;
	u32 taken;

	spin_lock_irqsave(&pool->lock, flags);
	taken = stack_take(pool->free, &pool->free_count, slots, most);
	spin_unlock_irqrestore(&pool->lock, flags);
	return taken;
}

static void shared_put(struct bounce_pool *pool, const u32 *slots, u32 count)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	stack_put(pool->free, &pool->free_count, slots, count);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/* Half a cache at a time, so that the shared lock is taken once for many requests. */
static void cache_refill(struct bounce_pool *pool, struct pool_cache *cache)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	spin_lock(&pool->lock);
	if (!cache->count) {		/* nobody else was here meanwhile, or gave slots back */
		cache->count = min(pool->cache_most / 2, pool->free_count);
		pool->free_count -= cache->count;
		memcpy(cache->slots, pool->free + pool->free_count, cache->count * sizeof(u32));
	}
	spin_unlock(&pool->lock);
	spin_unlock_irqrestore(&cache->lock, flags);
}

/* The older half of a cache goes back. */
static void cache_flush(struct bounce_pool *pool, struct pool_cache *cache)
{
	u32 batch = cache->count / 2 + cache->count % 2;

	spin_lock(&pool->lock);
	memcpy(pool->free + pool->free_count, cache->slots, batch * sizeof(u32));
	pool->free_count += batch;
	spin_unlock(&pool->lock);
	cache->count -= batch;
	memmove(cache->slots, cache->slots + batch, cache->count * sizeof(u32));
}

static struct pool_cache *pool_cache_of(struct bounce_pool *pool, u32 cpu)
{
	return &pool->caches[cpu % pool->cache_count];
}

static void pool_give(struct bounce_pool *pool, u32 cpu, const u32 *slots, u32 count)
{
	struct pool_cache *cache = pool_cache_of(pool, cpu);
	unsigned long flags;

	if (count > pool->cache_most / 2) {
		shared_put(pool, slots, count);
		return;
	}
	spin_lock_irqsave(&cache->lock, flags);
	if (cache->count + count > pool->cache_most)
		cache_flush(pool, cache);
	stack_put(cache->slots, &cache->count, slots, count);
	spin_unlock_irqrestore(&cache->lock, flags);
}

/* From the processor's cache, from the stack they all share, from the other caches. All or none. */
static int pool_take(struct bounce_pool *pool, u32 cpu, u32 *slots, u32 count)
{
	struct pool_cache *cache = pool_cache_of(pool, cpu);
	u32 taken = 0, i;

	cpu %= pool->cache_count;
	if (count <= pool->cache_most / 2) {
		taken = cache_take(cache, slots, count);
		if (taken < count) {
			cache_refill(pool, cache);
			taken += cache_take(cache, slots + taken, count - taken);
		}
	}
	if (taken < count)
		taken += shared_take(pool, slots + taken, count - taken);
	for (i = 0; i < pool->cache_count && taken < count; i++)
		taken += cache_take(pool_cache_of(pool, cpu + i), slots + taken, count - taken);
	if (taken == count)
		return 0;
	shared_put(pool, slots, taken);
	atomic_inc(&pool->exhausted);
	return -ENOSPC;
}

/* How many bytes from byte @at of the buffer lie side by side in the pool, at most @most. */
static u32 buffer_span(const struct bounce_buffer *b, u32 at, u32 most)
{
	u32 i = at / PAGE_SIZE, bytes = PAGE_SIZE - at % PAGE_SIZE;

	for (; bytes < most && i + 1 < b->count && b->slots[i + 1] == b->slots[i] + 1; i++)
		bytes += PAGE_SIZE;
	return min(bytes, most);
}

static u8 __host *buffer_at(const struct bounce_buffer *b, u32 at)
{
	return b->pool->memory.at + b->slots[at / PAGE_SIZE] * PAGE_SIZE + at % PAGE_SIZE;
}

static void buffer_store(const struct bounce_buffer *b, u32 at, const u8 *from, u32 bytes)
{
	u32 n;

	for (; bytes; bytes -= n, at += n, from += n) {
		n = buffer_span(b, at, bytes);
		host_store(buffer_at(b, at), from, n);
	}
}

static void buffer_fetch(const struct bounce_buffer *b, u32 at, u8 *to, u32 bytes)
{
	u32 n;

	for (; bytes; bytes -= n, at += n, to += n) {
		n = buffer_span(b, at, bytes);
		host_fetch(to, buffer_at(b, at), n);
	}
}

/* From byte @at to the end of the last page. */
static void buffer_clear(const struct bounce_buffer *b, u32 at)
{
	u32 end = b->count * PAGE_SIZE, n;

	for (; at < end; at += n) {
		n = buffer_span(b, at, end - at);
		host_clear(buffer_at(b, at), n);
	}
}

/* Bytes that are in the buffer then. */
static u32 buffer_fill(const struct bounce_buffer *b, const struct kvec *data, u32 pieces)
{
	u32 at = 0, i, n;

	for (i = 0; i < pieces; i++, at += n) {
		n = min_t(size_t, data[i].iov_len, b->bytes - at);
		buffer_store(b, at, data[i].iov_base, n);
	}
	return at;
}

/**
 * bounce_map() - take slots for a request, and fill them
 * @pool: the device's
 * @b: with room at b->slots for all pages of the request; the rest of it is set
 * @direction: who reads the data
 * @data: where the data is, or will be: private memory
 * @pieces: how many pieces that is
 * @bytes: of the request
 * @cpu: whose cache to look into first; a hint
 *
 * What goes to the host is copied, and the rest of its last page is cleared. What is for the host
 * to fill is cleared: it must not come back with what another request left there.
 *
 * Context: any, hard interrupts too.
 * Return: 0, -EINVAL for a size this pool never has, -ENOSPC when there are not enough slots now.
 */
int bounce_map(struct bounce_pool *pool, struct bounce_buffer *b, enum bounce_direction direction,
	       const struct kvec *data, u32 pieces, u32 bytes, u32 cpu)
{
	u32 count = DIV_ROUND_UP((u64)bytes, PAGE_SIZE);
	int error;

	b->pool = pool;
	b->direction = direction;
	b->bytes = bytes;
	b->count = 0;
	if (count > pool->slots)
		return -EINVAL;
	error = pool_take(pool, cpu, b->slots, count);
	if (error)
		return error;
	b->count = count;
	buffer_clear(b, direction == BOUNCE_TO_HOST ? buffer_fill(b, data, pieces) : 0);
	return 0;
}
EXPORT_SYMBOL_GPL(bounce_map);

/**
 * bounce_gfns() - by which numbers the host knows the pages of a request
 * @b: mapped
 * @gfns: room for b->count of them
 *
 * Context: any.
 */
void bounce_gfns(const struct bounce_buffer *b, u64 *gfns)
{
	u32 i;

	for (i = 0; i < b->count; i++)
		gfns[i] = b->pool->gfns[b->slots[i]];
}
EXPORT_SYMBOL_GPL(bounce_gfns);

/**
 * bounce_finish() - bring in what the host was to fill
 * @b: mapped from the host; nothing happens if it is mapped to it
 * @data: where the data goes
 * @pieces: how many pieces that is
 * @valid: bytes of it that the host says it wrote, which the validator has bounded
 *
 * The rest of @data is cleared. Context: any.
 */
void bounce_finish(struct bounce_buffer *b, const struct kvec *data, u32 pieces, u32 valid)
{
	u32 at = 0, i, n;

	if (b->direction != BOUNCE_FROM_HOST)
		return;
	valid = min(valid, b->bytes);
	valid = min_t(u64, valid, b->count * PAGE_SIZE);	/* nothing of slots given back */
	for (i = 0; i < pieces; i++, at += n) {
		n = min_t(size_t, data[i].iov_len, valid - at);
		buffer_fetch(b, at, data[i].iov_base, n);
		if (n < data[i].iov_len)
			memset((u8 *)data[i].iov_base + n, 0, data[i].iov_len - n);
	}
}
EXPORT_SYMBOL_GPL(bounce_finish);

/**
 * bounce_unmap() - give slots back
 * @b: mapped, and the host is done with it; or not mapped: then nothing happens
 * @cpu: whose cache gets them; a hint
 *
 * Context: any, hard interrupts too.
 */
void bounce_unmap(struct bounce_buffer *b, u32 cpu)
{
	if (b->count)
		pool_give(b->pool, cpu, b->slots, b->count);
	b->count = 0;
}
EXPORT_SYMBOL_GPL(bounce_unmap);
