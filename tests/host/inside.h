/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the model host know of each other. Words of the guest are taken apart a byte
 * at a time; memory both sides touch at once is accessed by atomic loads and stores only.
 */
#ifndef AIRLOCK_TESTS_HOST_INSIDE_H
#define AIRLOCK_TESTS_HOST_INSIDE_H

#include "host.h"
#include "messages.h"

#define FRAME 4096u
#define ALL_ONES 0xffffffffu
/* When a message is due: once the guest resumes, or when a script says so. */
#define HOST_PAUSED (UINT64_MAX - 1)
#define HOST_HELD UINT64_MAX

static inline uint64_t get(const uint8_t *p, unsigned int width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | p[width];
	return value;
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get(p, 4);
}

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)get(p, 2);
}

static inline void put(uint8_t *p, uint64_t value, unsigned int width)
{
	for (; width--; value >>= 8)
		*p++ = (uint8_t)value;
}

/* What is not zero where it must be. */
static inline bool any_set(const uint8_t *p, uint32_t size)
{
	while (size--) {
		if (*p++)
			return true;
	}
	return false;
}

/* host.c */
void *host_need(void *allocated);		/* ends the program if it is NULL */
void host_interrupt(struct host *h, uint32_t cpu, bool event);

/* pages.c. private: by the eyes of a paravisor. */
uint8_t *host_page(bool private, uint64_t gfn, uint32_t offset, uint32_t size);
void host_shared_read(void *to, const void *from, uint32_t size);
void host_shared_write(void *to, const void *from, uint32_t size);
bool host_page_visible(bool private, uint64_t gfn);
bool host_pages_clear(bool private, const uint64_t *gfns, uint32_t count);

/* slots.c */
void host_slots_send(struct host *h, struct host_message *m);	/* asks the hooks first */
bool host_slots_deliver(struct host *h);
uint64_t host_slots_next(const struct host *h);

/* server.c */
void host_server_receive(struct host *h, const uint8_t *message, uint32_t size);
void host_server_say(struct host *h, const uint8_t *message, uint32_t size);
void host_server_reset(struct host *h);

/* offers.c */
void host_offers_send_all(struct host *h);
void host_channel_release(struct host_channel *ch);
void host_channel_forget(struct host_channel *ch);

/* channels.c */
void host_channel_open(struct host *h, const uint8_t *m, uint32_t size);
void host_channel_open_reserved(struct host *h, const uint8_t *m);
void host_channel_close_reserved(struct host *h, const uint8_t *m);
void host_channel_close(struct host *h, const uint8_t *m);
void host_channel_relid_released(struct host *h, const uint8_t *m);
void host_channel_modify(struct host *h, const uint8_t *m);
void host_channel_shut(struct host_channel *ch);

/* named_memory.c */
void host_gpadl_header(struct host *h, const uint8_t *m, uint32_t size);
void host_gpadl_body(struct host *h, const uint8_t *m, uint32_t size);
void host_gpadl_teardown(struct host *h, const uint8_t *m);
struct host_gpadl *host_gpadl_find(struct host *h, uint32_t handle);
void host_gpadl_release_all(struct host *h, uint32_t relid);		/* 0: of all channels */
void host_gpadl_fail_unfinished(struct host *h, uint32_t relid);

/* rings.c */
bool host_ring_open(struct host_channel *ch);
void host_ring_close(struct host_channel *ch);
bool host_ring_service(struct host_channel *ch);
void host_ring_look_for_missed(struct host_channel *ch);
void host_ring_heard(struct host_channel *ch);

#endif
