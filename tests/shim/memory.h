/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory, simulated: pages with numbers, and a table of which the host may see.
 * A host access to a private page, a guest that frees a shared one, an access after a free:
 * each ends the process (shim_bug()).
 */
#ifndef AIRLOCK_SHIM_MEMORY_H
#define AIRLOCK_SHIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct visibility;

enum sim_kind {
	SIM_PLAIN,		/* everything is visible, changes are no-ops */
	SIM_SNP,		/* pages are scrambled when they change sides */
	SIM_TDX,		/* zeroed when shared, scrambled when private again */
	SIM_VBS,		/* pages keep what they hold */
};

/* Page numbers start here, so that an address is never taken for one. */
#define SIM_FIRST_GFN 0x100000

void sim_start(enum sim_kind kind, uint32_t pages);
/* Frees it all; shim_bug() if pages are still allocated, but @leaked of them. */
void sim_stop(uint32_t leaked);
struct visibility *sim_visibility(void);

/* The @nth share (revoke) from now fails with @error, after @done of its pages were converted. */
void sim_fail_share(uint32_t nth, int error, uint32_t done);
void sim_fail_revoke(uint32_t nth, int error, uint32_t done);
/* Says that it was done, and did nothing: the guest cannot know. */
void sim_lie_share(uint32_t nth);
uint32_t sim_struck(void);		/* failures and lies that happened */

/* What the host sees: shim_bug() unless all of it is shared (SIM_PLAIN: allocated). */
void *sim_host_memory(uint64_t gfn, uint32_t offset, uint32_t size);
/* Among threads: whatever keeps the host from being in the middle of an access while pages are taken back. */
void sim_host_gate(void (*gate)(void *argument, bool closed), void *argument);
/* What a paravisor sees, which the guest trusts: shim_bug() unless all of it is allocated. */
void *sim_paravisor_memory(uint64_t gfn, uint32_t offset, uint32_t size);
bool sim_is_shared(uint64_t gfn);
/*
 * For hostile threads, at any time: stores @size bytes, within one page, if the host sees the page; it is not taken
 * back meanwhile. False: it does not, and nothing was stored. ThreadSanitizer does not look.
 */
bool sim_host_store(uint64_t gfn, uint32_t offset, const void *from, uint32_t size);
/*
 * Memory of several runs is mapped once more by the guest: the address that sim_host_memory() gives
 * for what lies at @at. Other addresses are returned as they are.
 */
void *sim_host_address(const void *at);
uint64_t sim_shared_pages(void);
/* Private pages are filled with a pattern when they are allocated dirty, and freed. How often @bytes stand in shared pages. */
uint32_t sim_find(const void *bytes, uint32_t size);
extern const uint8_t sim_secret[16];	/* what freshly allocated and freed private pages are full of */
/* The same of the host's view in one word: do any four bytes of the secret pattern show? */
bool sim_secret_shows(void);

#endif
