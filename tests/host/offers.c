// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host offers, and takes back. A relid is the lowest that is free, stays with its
 * device over connections, and is used again only once the guest has released it.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define EVENT_CONNECTION 0x2000		/* + relid: connection id of a channel's signals */
#define NO_MONITOR 0xff

struct host_channel *host_find(struct host *h, uint32_t relid)
{
	if (relid >= HOST_CHANNELS || h->channels[relid].state == HOST_GONE)
		return NULL;
	return &h->channels[relid];
}

static void free_rings(struct host_channel *ch)
{
	host_ring_close(ch);
	free(ch->ring_gfns);
	free(ch->asked.ids);
	free(ch->asking.ids);
}

void host_channel_forget(struct host_channel *ch)
{
	struct host *h = ch->host;
	uint32_t relid = ch->relid, opens = ch->opens;

	free_rings(ch);
	memset(ch, 0, sizeof(*ch));
	ch->host = h;
	ch->relid = relid;
	ch->opens = opens;	/* goes on counting: no two opens of a relid are the same */
}

/* The connection is gone. Devices stay, to be offered again; sub-channels do not. */
void host_channel_release(struct host_channel *ch)
{
	bool stays = ch->state != HOST_GONE && ch->index == 0 && (ch->state != HOST_RESCINDED || ch->reoffer);

	host_channel_shut(ch);
	if (!stays)
		return host_channel_forget(ch);
	ch->state = HOST_WAITING;
	ch->reoffer = false;
}

/* ---- offers ---- */

static void give_monitor(struct host_channel *ch)
{
	struct host *h = ch->host;

	ch->monitor_id = NO_MONITOR;
	if (ch->device->flags & FLAG_MONITORED && h->monitor_pages[1] && h->monitor_next < 128)
		ch->monitor_id = (uint8_t)h->monitor_next++;
}

static uint16_t offered_flags(const struct host_channel *ch)
{
	uint16_t private = FLAG_PRIVATE_RING | FLAG_PRIVATE_MEMORY;

	if (ch->host->granted & FEATURE_CONFIDENTIAL)
		return ch->device->flags;
	return ch->device->flags & ~private;
}

static void send_offer(struct host_channel *ch)
{
	const struct host_device *device = ch->device;
	uint8_t m[196] = { 0 };

	ch->state = HOST_OFFERED;
	ch->connection_id = EVENT_CONNECTION + ch->relid;
	give_monitor(ch);
	put(m, HOST_OFFER, 4);
	memcpy(m + 8, device->class, 16);
	memcpy(m + 24, device->instance, 16);
	put(m + 56, offered_flags(ch), 2);
	put(m + 58, device->mmio_megabytes, 2);
	memcpy(m + 60, device->user, sizeof(device->user));
	put(m + 180, ch->index, 2);
	put(m + 184, ch->relid, 4);
	m[188] = ch->monitor_id;
	m[189] = ch->monitor_id != NO_MONITOR;
	put(m + 190, ch->host->version >= VERSION(2, 4), 2);
	put(m + 192, ch->connection_id, 4);
	host_server_say(ch->host, m, sizeof(m));
}

void host_offers_send_all(struct host *h)
{
	uint32_t i;

	for (i = 1; i < h->top; i++) {
		if (h->channels[i].state == HOST_WAITING)
			send_offer(&h->channels[i]);
	}
}

/* A device that comes back while the guest still holds its relid waits for that. */
static struct host_channel *find_rescinded(struct host *h, const struct host_device *device, uint16_t index)
{
	uint32_t i;

	for (i = 1; i < h->top; i++) {
		struct host_channel *ch = &h->channels[i];

		if (ch->state == HOST_RESCINDED && ch->device == device && ch->index == index)
			return ch;
	}
	return NULL;
}

static struct host_channel *find_free(struct host *h)
{
	uint32_t i;

	for (i = 1; i < HOST_CHANNELS; i++) {
		if (h->channels[i].state != HOST_GONE)
			continue;
		if (i >= h->top)
			h->top = i + 1;
		return &h->channels[i];
	}
	return NULL;
}

static struct host_channel *offer_anew(struct host *h, struct host_device *device, uint16_t index)
{
	struct host_channel *ch = find_free(h);

	if (!ch)
		return NULL;
	host_channel_forget(ch);
	ch->device = device;
	ch->index = index;
	ch->state = HOST_WAITING;
	if (h->connected && h->offers_requested)
		send_offer(ch);
	return ch;
}

struct host_channel *host_offer(struct host *h, struct host_device *device, uint16_t index)
{
	struct host_channel *ch;

	host_lock(h);
	ch = find_rescinded(h, device, index);
	if (ch)
		ch->reoffer = true;
	else
		ch = offer_anew(h, device, index);
	host_unlock(h);
	return ch;
}

/* ---- rescinds ---- */

void host_rescind(struct host *h, struct host_channel *ch)
{
	uint8_t m[12] = { 0 };

	host_lock(h);
	ch->reoffer = false;
	if (ch->state == HOST_WAITING) {
		host_channel_forget(ch);
	} else if (ch->state == HOST_OFFERED || ch->state == HOST_OPENED) {
		host_gpadl_fail_unfinished(h, ch->relid);
		host_channel_shut(ch);
		ch->state = HOST_RESCINDED;
		put(m, HOST_RESCIND, 4);
		put(m + 8, ch->relid, 4);
		host_server_say(h, m, sizeof(m));
	}
	host_unlock(h);
}

void host_remove_device(struct host *h, struct host_device *device)
{
	int subchannels;
	uint32_t i;

	host_lock(h);
	for (subchannels = 1; subchannels >= 0; subchannels--) {
		for (i = 1; i < h->top; i++) {
			struct host_channel *ch = &h->channels[i];

			if (ch->state != HOST_GONE && ch->device == device && (ch->index != 0) == subchannels)
				host_rescind(h, ch);
		}
	}
	host_unlock(h);
}

/* In answer to a rescind, or to refuse an offer. */
void host_channel_relid_released(struct host *h, const uint8_t *m)
{
	struct host_channel *ch = host_find(h, get32(m + 8));

	if (!ch || ch->state == HOST_OPENED || ch->state == HOST_WAITING) {
		host_error(h, "relid %u released, which is %s", get32(m + 8), ch ? "in use" : "not offered");
		return;
	}
	host_gpadl_release_all(h, ch->relid);
	if (!ch->reoffer)
		return host_channel_forget(ch);
	ch->reoffer = false;
	send_offer(ch);
}
