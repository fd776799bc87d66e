// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that guest and host share, and the few functions by which the model host reaches the guest:
 * in tests in one process they are those of the shim. Here a page is reached if it lies in the BAR and
 * the guest says that it is shared.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "process.h"
#include "shim.h"

static struct {
	int file;
	uint8_t *at;
	uint32_t pages;
} bar = { .file = -1 };

void (*bar_refused)(uint64_t page);

/* What tests fill private memory with, which must never show; as in tests/shim/alloc.c. */
const uint8_t sim_secret[16] = {
	0xc5, 0x5e, 0xc2, 0xe7, 0xa9, 0x0f, 0xd1, 0x6b, 0x93, 0xb8, 0x27, 0xfa, 0x4d, 0xe3, 0x71, 0x8c,
};

bool shim_verbose;

/* ---- life ---- */

static void give_up(void)
{
	if (bar.at)
		munmap(bar.at, (size_t)bar.pages * PAGE);
	if (bar.file >= 0)
		close(bar.file);
	bar.at = NULL;
	bar.file = -1;
}

static int fail(void)
{
	int error = errno;

	give_up();
	return -error;
}

/* Sealed: nobody can make it smaller under the other's feet. */
int bar_create(uint32_t pages)
{
	give_up();
	bar.pages = pages;
	bar.file = memfd_create("airlock-bar", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (bar.file < 0 || ftruncate(bar.file, (off_t)pages * PAGE) ||
	    fcntl(bar.file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fail();
	bar.at = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bar.file, 0);
	if (bar.at == MAP_FAILED) {
		bar.at = NULL;
		return fail();
	}
	return 0;
}

int bar_file(void)
{
	return bar.file;
}

/* ---- words of the ABI ---- */

static uint32_t *word(uint32_t offset)
{
	return (uint32_t *)(bar.at + offset);
}

uint32_t bar_load(uint32_t offset)
{
	return __atomic_load_n(word(offset), __ATOMIC_ACQUIRE);
}

void bar_store(uint32_t offset, uint32_t value)
{
	__atomic_store_n(word(offset), value, __ATOMIC_RELEASE);
}

uint32_t bar_take(uint32_t offset)
{
	return __atomic_exchange_n(word(offset), 0, __ATOMIC_ACQ_REL);
}

void bar_copy(void *to, uint32_t offset, uint32_t bytes)
{
	uint8_t *sink = to;
	uint32_t i;

	for (i = 0; i < bytes; i++)
		sink[i] = __atomic_load_n(bar.at + offset + i, __ATOMIC_RELAXED);
}

void bar_write(uint32_t offset, const void *from, uint32_t bytes)
{
	const uint8_t *source = from;
	uint32_t i;

	for (i = 0; i < bytes; i++)
		__atomic_store_n(bar.at + offset + i, source[i], __ATOMIC_RELAXED);
}

uint64_t bar_find(const uint8_t *bytes, size_t size, uint64_t *first)
{
	const uint8_t *at = bar.at, *end = bar.at + (size_t)bar.pages * PAGE, *found;
	uint64_t count = 0;

	while (at && (found = memmem(at, (size_t)(end - at), bytes, size))) {
		if (!count++)
			*first = (uint64_t)(found - bar.at);
		at = found + 1;
	}
	return count;
}

/* ---- what the model host asks of its surroundings ---- */

bool sim_is_shared(uint64_t gfn)
{
	if (gfn < TESTBED_FIRST_PAGE || gfn >= bar.pages)
		return false;
	return __atomic_load_n(bar.at + TESTBED_PAGE_STATES + gfn, __ATOMIC_ACQUIRE) == TESTBED_PAGE_SHARED;
}

/* Where acts go that find no page; nobody looks at it. */
static void *nowhere(void)
{
	static uint8_t page[PAGE] __attribute__((aligned(8)));

	memset(page, 0, sizeof(page));
	return page;
}

void *sim_host_memory(uint64_t gfn, uint32_t offset, uint32_t size)
{
	if (sim_is_shared(gfn) && offset <= PAGE && size <= PAGE - offset)
		return bar.at + gfn * PAGE + offset;
	bar_refused(gfn);
	return nowhere();
}

/* There is no paravisor here: nobody sees more than the host. */
void *sim_paravisor_memory(uint64_t gfn, uint32_t offset, uint32_t size)
{
	return sim_host_memory(gfn, offset, size);
}

uint64_t shim_now(void)
{
	static struct timespec start;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!start.tv_sec)
		start = now;
	return (uint64_t)((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
}
