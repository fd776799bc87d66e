/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's driver and a host's device that exchange numbered packets whose every byte follows from
 * their number, so that each side knows what must come next and in what order.
 */
#ifndef AIRLOCK_SOAK_H
#define AIRLOCK_SOAK_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICES 6
#define SUBCHANNELS 2			/* of each device, beside its primary */
#define LARGEST 3072			/* bytes of a payload */

/* The guest asks and the host answers; the host tells, and the guest answers each ASK_EVERYth. */
enum soak_kind { SOAK_REQUEST, SOAK_ANSWER, SOAK_NEWS, SOAK_NEWS_ANSWER };

#define ASK_EVERY 8
#define ASKS_MAX 32			/* that wait for an answer at once */

/* Packet @number of that kind, of the @open-th channel opened in this soak. */
struct soak_packet {
	enum soak_kind kind;
	uint32_t open;
	uint64_t number;
};

/* pattern.c. Returns the size in bytes; room for LARGEST. */
uint32_t soak_fill(const struct soak_packet *p, uint8_t *bytes);
/* Nothing else, padded by zeros to a multiple of 8. */
bool soak_holds(const struct soak_packet *p, const uint8_t *bytes, uint32_t size);

/* Prints, and ends the program with status 1. Any thread. */
void soak_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
uint32_t soak_random(uint32_t below);	/* of this thread */

struct soak_totals {
	uint64_t sent, answered, failed;	/* the guest's requests: each is answered or fails */
	uint64_t heard, told_answers;		/* by the guest: news; answers to it that were sent */
	uint64_t opens, closes;
};

/* guest.c */
extern const uint8_t soak_class[16];
extern const struct airlock_bus_ops soak_bus;
void soak_guest_start(void);
uint32_t soak_guest_send(void);		/* what there is room for on all channels; returns how much */
uint32_t soak_guest_waiting(void);	/* requests without an answer, and answers without room */
uint32_t soak_guest_open(void);		/* channels */
void soak_guest_totals(struct soak_totals *t);
/* Of a channel that is open: what it has sent and heard; false: it is not open. */
bool soak_guest_lane(uint32_t device, uint16_t index, uint64_t *sent, uint64_t *heard);

/* host_device.c */
struct host;

struct soak_host_totals {
	uint64_t requests, news, answers;	/* packets heard, told, answers to those heard */
	uint64_t spurious, needless, missed;	/* signals, of channels that are gone or not */
};

/* What the host does wrong, once: the soak has to find it. */
enum soak_fault { FAULT_NONE, FAULT_BIT, FAULT_TWICE, FAULT_LOST, FAULT_SHARED };

extern enum soak_fault soak_fault;

void soak_host_start(struct host *h);
void soak_host_offer(uint32_t device);
void soak_host_remove(uint32_t device);
bool soak_host_offered(uint32_t device);
void soak_host_allow(uint64_t news);	/* so many more, and no end of them: UINT64_MAX */
void soak_host_totals(struct soak_host_totals *t);
bool soak_host_lane(uint32_t device, uint16_t index, uint64_t *requests, uint64_t *news, uint64_t *unanswered);

#endif
