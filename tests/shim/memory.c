// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory: an arena of pages, each free, private or shared. Two runs never lie
 * side by side while there is room, so that an overrun ends in a free page, which
 * AddressSanitizer guards.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "internal.h"
#include "memory.h"
#include "sanitize.h"
#include "visibility.h"

#define MAX_RUN 16
#define SECRET_SHOWS 4		/* bytes */

/* Of a page. */
enum {
	ALLOCATED = 1,
	SHARED = 2,		/* the host can reach it */
	TOLD = 4,		/* the guest was told that it can */
};

/* What happens to the @nth conversion from now. */
struct fault {
	u32 nth;
	int error;
	u32 done;
};

/* Runs that the guest has mapped side by side. */
struct mapping {
	struct mapping *next;
	u8 *at;
	u32 count;
	u32 pages[];
};

static struct {
	enum sim_kind kind;
	u8 *arena;
	int file;
	u32 pages;			/* of the arena */
	u32 limit, used;		/* that may be, and are, allocated */
	u8 *state;
	u32 *run;			/* of the first page of one: how long it is */
	u32 cursor;
	struct fault share, revoke, lie;
	u32 struck;
	u64 noise;
	struct mapping *mappings;
	struct visibility visibility;
} sim;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- pages ---- */

static u8 *address_of(u32 page)
{
	return sim.arena + (size_t)page * PAGE_SIZE;
}

static bool in_arena(const void *at)
{
	return sim.arena && shim_is_within(at, sim.arena, (size_t)sim.pages * PAGE_SIZE);
}

static u32 page_of(const void *at, const char *what)
{
	size_t offset = (size_t)((uintptr_t)at - (uintptr_t)sim.arena);

	if (!in_arena(at) || offset % PAGE_SIZE)
		shim_bug("%s of %p, which is no page", what, at);
	return (u32)(offset / PAGE_SIZE);
}

/* Host threads look without the lock. */
static u8 state_of(u32 page)
{
	return smp_load_acquire(&sim.state[page]);
}

static void set_state(u32 page, u8 state)
{
	smp_store_release(&sim.state[page], state);
}

/* What a page looks like that was decrypted with the wrong key. */
static void scramble(u8 *to)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE; i += sizeof(sim.noise)) {
		sim.noise ^= sim.noise << 13;
		sim.noise ^= sim.noise >> 7;
		sim.noise ^= sim.noise << 17;
		memcpy(to + i, &sim.noise, sizeof(sim.noise));
	}
}

/* ---- allocation ---- */

static bool is_free(u32 first, u32 count)
{
	u32 i;

	for (i = first; i < first + count; i++)
		if (state_of(i))
			return false;
	return true;
}

/* The first page of @count free ones with @gap free ones on each side; 0: there are none. */
static u32 find_room(u32 count, u32 gap)
{
	u32 i, at, span = count + 2 * gap;

	for (i = 0; i < sim.pages; i++) {
		at = (sim.cursor + i) % sim.pages;
		if (at && at + span <= sim.pages && is_free(at, span))
			return at + gap;
	}
	return 0;
}

static u8 *allocate(u32 count)
{
	u32 first, i;

	if (count > sim.limit - sim.used)
		return NULL;
	first = find_room(count, 1);
	if (!first)
		first = find_room(count, 0);
	if (!first)
		return NULL;
	for (i = first; i < first + count; i++)
		set_state(i, ALLOCATED);
	sim.run[first] = count;
	sim.used += count;
	sim.cursor = first + count;
	ASAN_UNPOISON_MEMORY_REGION(address_of(first), count * PAGE_SIZE);
	return address_of(first);
}

static void *sim_alloc(struct visibility *v, u32 pages)
{
	u8 *at;

	(void)v;
	shim_may_sleep("an allocation of pages");
	if (!pages || pages > MAX_RUN)
		shim_bug("a run of %u pages", pages);
	if (shim_allocation_fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	at = allocate(pages);
	pthread_mutex_unlock(&mutex);
	if (at)
		memset(at, 0, pages * PAGE_SIZE);
	return at;
}

static bool is_mapped(u32 page)
{
	const struct mapping *m;
	u32 i;

	for (m = sim.mappings; m; m = m->next)
		for (i = 0; i < m->count; i++)
			if (m->pages[i] == page)
				return true;
	return false;
}

static void sim_free(struct visibility *v, void *at, u32 pages)
{
	u32 first = page_of(at, "a free"), i;

	(void)v;
	pthread_mutex_lock(&mutex);
	if (sim.run[first] != pages)
		shim_bug("%u pages are freed, of a run of %u", pages, sim.run[first]);
	for (i = first; i < first + pages; i++) {
		if (state_of(i) & SHARED)
			shim_bug("page %#x is freed while it is shared", SIM_FIRST_GFN + i);
		if (is_mapped(i))
			shim_bug("page %#x is freed while it is mapped", SIM_FIRST_GFN + i);
	}
	shim_fill_with_secret(at, pages * PAGE_SIZE);
	ASAN_POISON_MEMORY_REGION(at, pages * PAGE_SIZE);
	for (i = first; i < first + pages; i++)
		set_state(i, 0);
	sim.run[first] = 0;
	sim.used -= pages;
	pthread_mutex_unlock(&mutex);
}

/* ---- conversions ---- */

static bool strikes(struct fault *fault)
{
	if (!fault->nth || --fault->nth)
		return false;
	sim.struck++;
	return true;
}

static void convert(u32 page, bool share)
{
	u8 state = state_of(page);

	if (!!(state & SHARED) == share)
		return;
	if (sim.kind == SIM_TDX && share)
		memset(address_of(page), 0, PAGE_SIZE);
	else if (sim.kind == SIM_SNP || sim.kind == SIM_TDX)
		scramble(address_of(page));
	set_state(page, state ^ SHARED);
}

static void tell(u32 first, u32 count, bool share)
{
	u32 i;

	for (i = first; i < first + count; i++)
		set_state(i, share ? state_of(i) | TOLD : state_of(i) & ~TOLD);
}

static void check_conversion(u32 first, u32 count, bool share)
{
	u32 i, told = 0;

	if (!count || count > MAX_RUN || first + count > sim.pages)
		shim_bug("a conversion of %u pages", count);
	for (i = first; i < first + count; i++) {
		if (!(state_of(i) & ALLOCATED))
			shim_bug("page %#x changes sides, which is free", SIM_FIRST_GFN + i);
		told += !!(state_of(i) & TOLD);
	}
	if (share && told)
		shim_bug("page %#x and others are shared twice", SIM_FIRST_GFN + first);
}

static void (*gate)(void *argument, bool closed);
static void *gate_argument;

void sim_host_gate(void (*new_gate)(void *argument, bool closed), void *argument)
{
	gate = new_gate;
	gate_argument = argument;
}

static int change(const void *at, u32 count, bool share, struct fault *fault)
{
	u32 first = page_of(at, "a conversion"), done = count, i;
	int error = 0;

	shim_may_sleep("a change of visibility");
	pthread_mutex_lock(&mutex);
	check_conversion(first, count, share);
	if (strikes(fault)) {
		error = fault->error;
		done = min(fault->done, count);
	}
	if (share && strikes(&sim.lie))
		done = 0;
	for (i = first; i < first + done; i++)
		convert(i, share);
	if (!error)
		tell(first, count, share);
	pthread_mutex_unlock(&mutex);
	return error;
}

static int sim_share(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	return change(at, pages, true, &sim.share);
}

static int sim_revoke(struct visibility *v, void *at, u32 pages)
{
	int error;

	(void)v;
	if (shim_threads && gate)
		gate(gate_argument, true);
	error = change(at, pages, false, &sim.revoke);
	if (shim_threads && gate)
		gate(gate_argument, false);
	return error;
}

/* ---- mappings ---- */

static u32 count_pages(const struct page_run *runs, u32 count)
{
	u32 i, pages = 0;

	for (i = 0; i < count; i++)
		pages += runs[i].pages;
	return pages;
}

static void check_run(const struct page_run *run, bool private)
{
	u32 first = page_of(run->at, "a mapping"), i;

	if (sim.run[first] != run->pages)
		shim_bug("%u pages are mapped, of a run of %u", run->pages, sim.run[first]);
	for (i = first; i < first + run->pages; i++)
		if (!(state_of(i) & TOLD) != private)
			shim_bug("page %#x is mapped as if it were %s", SIM_FIRST_GFN + i,
				 private ? "private" : "shared");
}

/* Inaccessible pages on both sides. */
static u8 *map_runs(const struct page_run *runs, u32 count, u32 pages)
{
	size_t bytes = (pages + 2) * PAGE_SIZE, size;
	u8 *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *to;
	u32 i;

	if (at == MAP_FAILED)
		return NULL;
	to = at + PAGE_SIZE;
	for (i = 0; i < count; i++) {
		size = runs[i].pages * PAGE_SIZE;
		if (mmap(to, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, sim.file,
			 (u8 *)runs[i].at - sim.arena) == MAP_FAILED)
			shim_bug("pages cannot be mapped: %s", strerror(errno));
		to += size;
	}
	return at + PAGE_SIZE;
}

static struct mapping *new_mapping(u8 *at, const struct page_run *runs, u32 count, u32 pages)
{
	struct mapping *m = calloc(1, sizeof(*m) + pages * sizeof(m->pages[0]));
	u32 i, page;

	if (!m)
		shim_bug("no memory");
	m->at = at;
	for (i = 0; i < count; i++)
		for (page = 0; page < runs[i].pages; page++)
			m->pages[m->count++] = page_of(runs[i].at, "a mapping") + page;
	return m;
}

static u8 *map(const struct page_run *runs, u32 count, bool private)
{
	u32 pages = count_pages(runs, count), i;
	struct mapping *m;
	u8 *at;

	for (i = 0; i < count; i++)
		check_run(&runs[i], private);
	if (count == 1)
		return runs[0].at;
	at = map_runs(runs, count, pages);
	if (!at)
		return NULL;
	m = new_mapping(at, runs, count, pages);
	m->next = sim.mappings;
	sim.mappings = m;
	return at;
}

static u8 __host *sim_map(struct visibility *v, const struct page_run *runs, u32 count, bool private)
{
	u8 *at;

	(void)v;
	shim_may_sleep("a mapping");
	if (!count)
		shim_bug("a mapping of nothing");
	if (shim_allocation_fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	at = map(runs, count, private);
	pthread_mutex_unlock(&mutex);
	return (u8 __host *)at;
}

static void unmap(u8 *at)
{
	struct mapping **m, *old;

	for (m = &sim.mappings; *m && (*m)->at != at; m = &(*m)->next)
		;
	old = *m;
	if (!old)
		shim_bug("%p is unmapped, and was not mapped", (void *)at);
	munmap(at - PAGE_SIZE, (old->count + 2) * PAGE_SIZE);
	*m = old->next;
	free(old);
}

static void sim_unmap(struct visibility *v, u8 __host *host)
{
	u8 *at = host_address(host);

	(void)v;
	shim_may_sleep("an unmapping");
	pthread_mutex_lock(&mutex);
	if (!in_arena(at))
		unmap(at);
	pthread_mutex_unlock(&mutex);
}

static u64 sim_gfn(struct visibility *v, const void *at)
{
	u32 page = page_of((const void *)((uintptr_t)at & PAGE_MASK), "the number");

	(void)v;
	if (!(state_of(page) & ALLOCATED))
		shim_bug("the number of a free page");
	return SIM_FIRST_GFN + page;
}

/* ---- what the host sees ---- */

static bool is_page(u64 gfn)
{
	return gfn >= SIM_FIRST_GFN && gfn - SIM_FIRST_GFN < sim.pages;
}

/* What makes a page visible to the host, and to a paravisor. */
static u8 host_wants(void)
{
	return sim.kind == SIM_PLAIN ? ALLOCATED : SHARED;
}

static void *reach(u64 gfn, u32 offset, u32 size, u8 wanted, const char *who)
{
	u64 end = gfn + ((u64)offset + max(size, 1U) - 1) / PAGE_SIZE + 1;
	u64 i;

	for (i = gfn + offset / PAGE_SIZE; i < end; i++)
		if (!is_page(i) || !(state_of((u32)(i - SIM_FIRST_GFN)) & wanted))
			shim_bug("%s reaches for page %#llx, which it cannot see", who,
				 (unsigned long long)i);
	return sim.arena + (gfn - SIM_FIRST_GFN) * PAGE_SIZE + offset;
}

bool sim_is_shared(uint64_t gfn)
{
	return is_page(gfn) && (state_of((u32)(gfn - SIM_FIRST_GFN)) & host_wants());
}

/* Words where that is possible: as a processor would. */
static void store_atomically(u8 *to, const u8 *from, u32 size)
{
	u32 word;

	for (; size >= 4 && !((uintptr_t)to & 3); size -= 4, to += 4, from += 4) {
		memcpy(&word, from, 4);
		__atomic_store_n((u32 *)to, word, __ATOMIC_RELAXED);
	}
	for (; size; size--)
		__atomic_store_n(to++, *from++, __ATOMIC_RELAXED);
}

bool sim_host_store(uint64_t gfn, uint32_t offset, const void *from, uint32_t size)
{
	bool shared;

	if (offset + size > PAGE_SIZE)
		shim_bug("a store of %u bytes at %u of a page", size, offset);
	pthread_mutex_lock(&mutex);
	shared = sim_is_shared(gfn);
	if (shared) {
		RACES_MEANT_BEGIN();
		store_atomically(sim.arena + (gfn - SIM_FIRST_GFN) * PAGE_SIZE + offset, from, size);
		RACES_MEANT_END();
	}
	pthread_mutex_unlock(&mutex);
	return shared;
}

void *sim_host_memory(uint64_t gfn, uint32_t offset, uint32_t size)
{
	return reach(gfn, offset, size, host_wants(), "the host");
}

void *sim_paravisor_memory(uint64_t gfn, uint32_t offset, uint32_t size)
{
	return reach(gfn, offset, size, ALLOCATED, "the paravisor");
}

void *sim_host_address(const void *at)
{
	u8 *found = (u8 *)(uintptr_t)at;
	const struct mapping *m;
	size_t offset;

	if (in_arena(at))
		return found;
	pthread_mutex_lock(&mutex);
	for (m = sim.mappings; m; m = m->next)
		if (shim_is_within(at, m->at, m->count * PAGE_SIZE)) {
			offset = (size_t)((const u8 *)at - m->at);
			found = address_of(m->pages[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
		}
	pthread_mutex_unlock(&mutex);
	return found;
}

uint64_t sim_shared_pages(void)
{
	u64 count = 0;
	u32 i;

	for (i = 0; i < sim.pages; i++)
		count += !!(state_of(i) & SHARED);
	return count;
}

/* From *page on: the next pages that lie side by side and are shared. */
static bool next_span(u32 *page, const u8 **at, size_t *size)
{
	u32 first = *page, end;

	while (first < sim.pages && !(state_of(first) & SHARED))
		first++;
	for (end = first; end < sim.pages && (state_of(end) & SHARED); end++)
		;
	*at = address_of(first);
	*size = (end - first) * PAGE_SIZE;
	*page = end;
	return end > first;
}

static u32 count_in(const u8 *at, size_t size, const void *bytes, size_t length)
{
	const u8 *end = at + size, *found;
	u32 count = 0;

	RACES_MEANT_BEGIN();		/* the host may be writing there, and was let in */
	for (found = at; (found = memmem(found, (size_t)(end - found), bytes, length)) != NULL; found++)
		count++;
	RACES_MEANT_END();
	return count;
}

uint32_t sim_find(const void *bytes, uint32_t size)
{
	u32 page = 0, count = 0;
	const u8 *at;
	size_t span;

	while (size && next_span(&page, &at, &span))
		count += count_in(at, span, bytes, size);
	return count;
}

/* The pattern goes round. */
bool sim_secret_shows(void)
{
	u8 twice[2 * sizeof(sim_secret)];
	size_t i;

	memcpy(twice, sim_secret, sizeof(sim_secret));
	memcpy(twice + sizeof(sim_secret), sim_secret, sizeof(sim_secret));
	for (i = 0; i < sizeof(sim_secret); i++)
		if (sim_find(twice + i, SECRET_SHOWS))
			return true;
	return false;
}

/* ---- faults ---- */

static void set_fault(struct fault *fault, u32 nth, int error, u32 done)
{
	pthread_mutex_lock(&mutex);
	*fault = (struct fault) { .nth = nth, .error = error, .done = done };
	pthread_mutex_unlock(&mutex);
}

void sim_fail_share(uint32_t nth, int error, uint32_t done)
{
	set_fault(&sim.share, nth, error, done);
}

void sim_fail_revoke(uint32_t nth, int error, uint32_t done)
{
	set_fault(&sim.revoke, nth, error, done);
}

void sim_lie_share(uint32_t nth)
{
	set_fault(&sim.lie, nth, 0, 0);
}

uint32_t sim_struck(void)
{
	u32 struck;

	pthread_mutex_lock(&mutex);
	struck = sim.struck;
	pthread_mutex_unlock(&mutex);
	return struck;
}

/* ---- start and end ---- */

#define OPS(text, everything)                                                                 \
	{                                                                                     \
		.name = text, .open = everything, .max_run = MAX_RUN, .alloc = sim_alloc,     \
		.free = sim_free, .share = sim_share, .revoke = sim_revoke, .map = sim_map,   \
		.unmap = sim_unmap, .gfn = sim_gfn,                                           \
	}

static const struct visibility_ops kinds[] = {
	[SIM_PLAIN] = OPS("plain", true),
	[SIM_SNP] = OPS("sev-snp", false),
	[SIM_TDX] = OPS("tdx", false),
	[SIM_VBS] = OPS("vbs", false),
};

static u8 *make_arena(size_t bytes)
{
	u8 *at;

	sim.file = memfd_create("guest", MFD_CLOEXEC);
	if (sim.file < 0 || ftruncate(sim.file, (off_t)bytes))
		shim_bug("no memory for a guest: %s", strerror(errno));
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, sim.file, 0);
	if (at == MAP_FAILED)
		shim_bug("no memory for a guest: %s", strerror(errno));
	ASAN_POISON_MEMORY_REGION(at, bytes);
	return at;
}

void sim_start(enum sim_kind kind, uint32_t pages)
{
	if (sim.arena)
		shim_bug("sim_start() twice");
	memset(&sim, 0, sizeof(sim));
	sim.kind = kind;
	sim.limit = pages;
	sim.pages = 2 * pages + MAX_RUN + 2;
	sim.noise = 0x9e3779b97f4a7c15;
	sim.arena = make_arena((size_t)sim.pages * PAGE_SIZE);
	sim.state = calloc(sim.pages, sizeof(*sim.state));
	sim.run = calloc(sim.pages, sizeof(*sim.run));
	if (!sim.state || !sim.run)
		shim_bug("no memory");
	sim.visibility.ops = &kinds[kind];
}

void sim_stop(uint32_t leaked)
{
	if (sim.used != leaked)
		shim_bug("%u pages are still allocated at the end, and should be %u", sim.used, leaked);
	if (sim.mappings && !leaked)
		shim_bug("pages are still mapped at the end");
	while (sim.mappings)
		unmap(sim.mappings->at);
	ASAN_UNPOISON_MEMORY_REGION(sim.arena, (size_t)sim.pages * PAGE_SIZE);
	munmap(sim.arena, (size_t)sim.pages * PAGE_SIZE);
	close(sim.file);
	free(sim.state);
	free(sim.run);
	sim.arena = NULL;
}

struct visibility *sim_visibility(void)
{
	return &sim.visibility;
}
