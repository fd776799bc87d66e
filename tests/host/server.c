// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server at the other end of the control messages: contact, versions and features, the
 * end, and the small requests. What belongs to channels and GPADLs goes to their files. A
 * message that cannot be acted on is noted as the guest's error, and gets no answer.
 */
#include <string.h>

#include "inside.h"
#include "shim.h"

static const char *const names[HOST_MESSAGE_TYPES] = {
#define X(number, NAME, name, bytes) [number] = #name,
	HOST_MESSAGES(X)
#undef X
};

static const uint8_t least[HOST_MESSAGE_TYPES] = {
#define X(number, NAME, name, bytes) [number] = bytes,
	HOST_MESSAGES(X)
#undef X
};

const char *host_message_name(uint32_t type)
{
	return type < HOST_MESSAGE_TYPES ? names[type] : NULL;
}

uint32_t host_message_type(const char *name)
{
	uint32_t type;

	for (type = 1; type < HOST_MESSAGE_TYPES; type++) {
		if (!strcmp(names[type], name))
			return type;
	}
	return 0;
}

uint32_t host_message_least(uint32_t type)
{
	return type < HOST_MESSAGE_TYPES ? least[type] : 0;
}

/* A message of nothing but its header. */
static void say(struct host *h, uint32_t type)
{
	uint8_t m[8] = { 0 };

	put(m, type, 4);
	host_server_say(h, m, sizeof(m));
}

/* ---- contact ---- */

static bool supports(const struct host *h, uint32_t version)
{
	uint32_t i;

	for (i = 0; i < h->version_count; i++) {
		if (h->versions[i] == version)
			return true;
	}
	return false;
}

/* Everything the guest had is released, and nothing is said of it. */
void host_server_reset(struct host *h)
{
	uint32_t i;

	for (i = 1; i < h->top; i++)
		host_channel_release(&h->channels[i]);
	host_gpadl_release_all(h, 0);
	h->connected = false;
	h->offers_requested = false;
	h->paused = false;
	h->version = 0;
	h->granted = 0;
	h->connection_id = 0;
	memset(h->monitor_pages, 0, sizeof(h->monitor_pages));
}

/* connection_state of the answer: both monitor pages, or none. */
static uint8_t take_monitor_pages(struct host *h, const uint8_t *m)
{
	uint64_t to_guest = get(m, 8), to_host = get(m + 8, 8);

	if (!to_guest != !to_host || to_guest % FRAME || to_host % FRAME) {
		host_error(h, "monitor pages at %#llx and %#llx", (unsigned long long)to_guest,
			   (unsigned long long)to_host);
		return 2;
	}
	h->monitor_pages[0] = to_guest / FRAME;
	h->monitor_pages[1] = to_host / FRAME;
	return 0;
}

/* Words that only some versions have. */
static void look_at_contact(struct host *h, const uint8_t *m, uint32_t size)
{
	uint32_t version = get32(m + 8), features = get32(m + 20);

	if (version < VERSION(5, 0) && get(m + 16, 8))
		host_error(h, "an interrupt page that nobody needs");
	if (version >= VERSION(5, 0) && (m[16] != 2 || m[17] || get16(m + 18)))
		host_error(h, "contact by SINT %u, VTL %u, reserved %#x", m[16], m[17], get16(m + 18));
	if (version >= VERSION(5, 0) && version < VERSION(6, 0) && features)
		host_error(h, "features %#x of a version without", features);
	if (version >= VERSION(6, 0) && features & FEATURE_CLIENT ? size != 56 : size != 40)
		host_error(h, "contact in %u bytes", size);
}

static uint32_t grant(const struct host *h, uint32_t asked)
{
	uint32_t granted = asked & h->features;

	return h->trusted ? granted : granted & ~(uint32_t)FEATURE_CONFIDENTIAL;
}

static void accept_contact(struct host *h, const uint8_t *m, uint8_t state)
{
	uint32_t version = get32(m + 8);
	uint8_t answer[20] = { 0 };

	h->version = version;
	h->target_vp = version >= VERSION(3, 0) ? get32(m + 12) : 0;
	h->granted = version >= VERSION(6, 0) ? grant(h, get32(m + 20)) : 0;
	h->connection_id = version >= VERSION(5, 0) ? 0x2045 : 0;
	h->connected = state == 0;
	h->unloaded = false;
	put(answer, HOST_VERSION_RESPONSE, 4);
	answer[8] = 1;
	answer[9] = state;
	put(answer + 12, h->connection_id ? h->connection_id : version, 4);
	put(answer + 16, h->granted, 4);
	host_server_say(h, answer, version >= VERSION(6, 0) ? 20 : 16);
}

static void initiate_contact(struct host *h, const uint8_t *m, uint32_t size)
{
	uint8_t refusal[16] = { 0 };
	uint32_t version = get32(m + 8);

	host_server_reset(h);
	look_at_contact(h, m, size);
	if (version >= VERSION(3, 0) && get32(m + 12) >= h->cpus)
		host_error(h, "messages to processor %u", get32(m + 12));
	if (supports(h, version)) {
		accept_contact(h, m, take_monitor_pages(h, m + 24));
		return;
	}
	h->target_vp = version >= VERSION(3, 0) ? get32(m + 12) : 0;
	put(refusal, HOST_VERSION_RESPONSE, 4);
	host_server_say(h, refusal, sizeof(refusal));
}

/* ---- small requests ---- */

static void request_offers(struct host *h)
{
	if (h->offers_requested) {
		host_error(h, "offers requested twice");
		return;
	}
	h->offers_requested = true;
	host_offers_send_all(h);
	say(h, HOST_ALL_OFFERS);
}

static void unload(struct host *h)
{
	host_server_reset(h);
	h->unloaded = true;
	say(h, HOST_UNLOAD_RESPONSE);
}

/* There is nobody to connect to. */
static void tl_connect(struct host *h, const uint8_t *m, uint32_t size)
{
	uint8_t answer[44] = { 0 };

	if (h->version < VERSION(4, 0) || (h->version >= VERSION(5, 2) && size != 56))
		host_error(h, "a stream asked for in %u bytes, of version %#x", size, h->version);
	put(answer, HOST_TL_CONNECT_RESULT, 4);
	memcpy(answer + 8, m + 8, 32);
	put(answer + 40, STATUS_REFUSED, 4);
	if (h->version >= VERSION(4, 1))
		host_server_say(h, answer, sizeof(answer));
}

static void modify_connection(struct host *h, const uint8_t *m)
{
	uint8_t answer[9] = { 0 };

	if (!(h->granted & FEATURE_MODIFY)) {
		host_error(h, "modify_connection was not granted");
		return;
	}
	put(answer, HOST_MODIFY_CONNECTION_RESPONSE, 4);
	answer[8] = take_monitor_pages(h, m + 8);
	host_server_say(h, answer, sizeof(answer));
}

/* Messages that would come after the answer wait until the guest resumes. */
static void pause_messages(struct host *h, bool pause)
{
	uint32_t i;

	if (!(h->granted & FEATURE_PAUSE)) {
		host_error(h, "pausing was not granted");
		return;
	}
	if (pause)
		say(h, HOST_PAUSE_RESPONSE);
	h->paused = pause;
	for (i = 0; !pause && i < h->queued; i++) {
		if (h->queue[i].due == HOST_PAUSED)
			h->queue[i].due = shim_now();
	}
}

/* ---- dispatch ---- */

static bool may_be_longer(uint32_t type)
{
	return type == HOST_GPADL_HEADER || type == HOST_GPADL_BODY || type == HOST_INITIATE_CONTACT ||
	       type == HOST_OPEN || type == HOST_TL_CONNECT;
}

/* Whether it is a message of the guest that can be looked into. */
static bool is_sound(struct host *h, const uint8_t *m, uint32_t size)
{
	static const uint32_t of_guest = 1u << 3 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 13 |
		1u << 14 | 1u << 16 | 1u << 18 | 1u << 19 | 1u << 21 | 1u << 22 | 1u << 25 | 1u << 27 | 1u << 29;
	uint32_t type = size >= 8 ? get32(m) : 0;

	if (type >= HOST_MESSAGE_TYPES || !(of_guest >> type & 1)) {
		host_error(h, "a message of type %#x", type);
		return false;
	}
	if (size < least[type]) {
		host_error(h, "%s in %u bytes", names[type], size);
		return false;
	}
	if (size > least[type] && !may_be_longer(type))
		host_error(h, "%s in %u bytes", names[type], size);
	if (get32(m + 4))
		host_error(h, "%s with %#x behind its type", names[type], get32(m + 4));
	return true;
}

static void receive_connected(struct host *h, const uint8_t *m, uint32_t size)
{
	switch (get32(m)) {
	case HOST_REQUEST_OFFERS:
		return request_offers(h);
	case HOST_OPEN:
		return host_channel_open(h, m, size);
	case HOST_CLOSE:
		return host_channel_close(h, m);
	case HOST_GPADL_HEADER:
		return host_gpadl_header(h, m, size);
	case HOST_GPADL_BODY:
		return host_gpadl_body(h, m, size);
	case HOST_GPADL_TEARDOWN:
		return host_gpadl_teardown(h, m);
	case HOST_RELID_RELEASED:
		return host_channel_relid_released(h, m);
	case HOST_UNLOAD:
		return unload(h);
	case HOST_OPEN_RESERVED:
		return host_channel_open_reserved(h, m);
	case HOST_TL_CONNECT:
		return tl_connect(h, m, size);
	case HOST_MODIFY_CHANNEL:
		return host_channel_modify(h, m);
	case HOST_MODIFY_CONNECTION:
		return modify_connection(h, m);
	default:
		return pause_messages(h, get32(m) == HOST_PAUSE);
	}
}

void host_server_receive(struct host *h, const uint8_t *m, uint32_t size)
{
	if (!is_sound(h, m, size))
		return;
	if (get32(m) == HOST_INITIATE_CONTACT)
		initiate_contact(h, m, size);
	else if (get32(m) == HOST_CLOSE_RESERVED)
		host_channel_close_reserved(h, m);
	else if (h->connected)
		receive_connected(h, m, size);
	else
		host_error(h, "%s without a connection", names[get32(m)]);
}
