/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attacks that race: threads of a hostile host and of a busy guest, all at it at once for about
 * half a second of real time, while ThreadSanitizer looks. What the guest's threads do, and
 * what they are owed whatever the host does, is in racing.c.
 *
 * Hostile threads store to guest memory by race_store() only: a page may be private again at any moment.
 */
#ifndef AIRLOCK_TESTS_RACING_H
#define AIRLOCK_TESTS_RACING_H

#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "memory.h"
#include "shim.h"

struct racer {
	void (*act)(struct racer *r);
	uint32_t cpu;		/* of the guest's threads */
	uint32_t number;	/* among all */
	bool hostile;
	uint64_t seed;
	uint64_t times, good;	/* acts; of the guest: that went as they should */
	pthread_t thread;
};

/* A scene whose devices may come and go often. Between race_prepare() and race_connect() it may be changed. */
void race_prepare(unsigned int what);
void race_connect(void);
/* Who takes part in the next race, which is then run: strikes, or fails if one of them never got to act. */
void race_guests(void (*act)(struct racer *r), unsigned int count);
void race_hosts(void (*act)(struct racer *r), unsigned int count);
void race(const char *what);
/* The race goes on until so many devices were removed. */
extern unsigned int race_removes;
/* Acts that went well. */
uint64_t race_good(void (*act)(struct racer *r));
uint32_t race_random(struct racer *r, uint32_t below);
/* From a thread: the attack has failed. */
void race_failed(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Devices as new, if they are not, and all works; then the end of the scene. */
void race_renew(void);
void race_end(void);

/* ---- what guests do ---- */
void guest_echoes(struct racer *r);	/* a request with an answer, on a channel that may be closed under it */
void guest_echoes_inside(struct racer *r);	/* but not while it is sent */
void guest_sends(struct racer *r);	/* a packet, of some size */
void guest_moves(struct racer *r);	/* its channel to another processor */
void guest_reopens(struct racer *r);	/* its channel */
void guest_names_memory(struct racer *r);
void guest_takes_offline(struct racer *r);	/* processors, which come back at once */
void guest_reads_and_writes(struct racer *r);	/* disks, gives up on slow commands */

/* ---- what hosts do ---- */
void host_rescinds(struct racer *r);	/* the plain device, and offers it again */
void host_rescinds_disk(struct racer *r);
void host_floods(struct racer *r);	/* packets to the plain device, numbered */
void host_storms(struct racer *r);	/* all event flags of all processors */
void host_interrupts_everywhere(struct racer *r);	/* for the plain device's channel */

/* The plain device's rings, as the host knows them. */
struct race_rings { uint64_t gfns[16]; uint32_t pages, downstream, in_size, out_size; };
bool race_rings(struct race_rings *rings);
bool race_store(uint64_t gfn, uint32_t offset, const void *bytes, uint32_t size);
bool race_field(const struct race_rings *rings, bool to_guest, enum host_field field, uint32_t value);
void race_interrupt(uint32_t cpu, bool event);
/* With the host's lock: an open channel of the device, or NULL. */
struct host_channel *race_channel(const struct host_device *device);

/* Guests' packets to the host carry no more than this. */
#define RACE_BYTES 1024
/* Packets of host_floods(), in the order they were heard; a gap or a repetition fails the attack. */
uint64_t race_heard(void);
/* Guests' commands: how many were given up. */
uint64_t race_given_up(void);
/* ms until they are. */
extern uint32_t race_command_patience;

#endif
