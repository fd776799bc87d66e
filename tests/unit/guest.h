/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest with one plain device, and the model host, for tests of the core: as little as the
 * core can be run with, and every knob in reach. Deterministic, in virtual time.
 */
#ifndef AIRLOCK_TESTS_GUEST_H
#define AIRLOCK_TESTS_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core.h"
#include "host.h"
#include "memory.h"
#include "model.h"
#include "script.h"
#include "shim.h"

#define CPUS 4
#define PAGES 16384
#define RING_PAGES 2
#define GUID_BYTES 16

struct guest {
	struct host *host;
	struct model *model;
	struct transport *transport;
	struct airlock_connection connection;
	struct airlock_policy policy;
	struct host_device device;		/* of the host */
	struct host_channel *end;		/* the host's end of it */
	bool initialized, isolated, trusted;
	/* the driver's */
	struct airlock_device *probed;		/* the last one */
	struct airlock_channel_config config;
	bool keep_closed;			/* the driver does not open at probe */
	bool refuse;				/* the bus does not want it */
	bool simple;				/* the driver knows of no sub-channels */
	bool grow;				/* opens its sub-channels */
	int opened;				/* result */
	u16 wanted;				/* sub-channels, once open */
	unsigned int probes, removes, dead, writable, packets, completions, subchannels, subchannels_gone;
	struct airlock_channel *subchannel;
	u64 last_transaction;
	u32 last_size;
	u8 last[256];
};

static struct guest guest;
static const u8 plain_class[GUID_BYTES] = "class of a test", plain_instance[GUID_BYTES] = "the plain device";

/* ---- the driver ---- */

static inline void plain_packet(struct airlock_channel *channel, const struct ring_message *m)
{
	const struct wire_slice *payload;

	if (m->kind == RING_MSG_COMPLETION) {
		if (airlock_take_completion(channel, &m->completion)) {
			guest.completions++;
			request_release(&channel->requests, m->completion.header.transaction);
		}
		return;
	}
	payload = &m->in_band.payload;
	guest.packets++;
	guest.last_transaction = m->in_band.header.transaction;
	guest.last_size = payload->size;
	memcpy(guest.last, payload->data, min_t(u32, payload->size, sizeof(guest.last)));
}

static inline void plain_dead(struct airlock_channel *channel)
{
	(void)channel;
	guest.dead++;
}

static inline void plain_writable(struct airlock_channel *channel)
{
	(void)channel;
	guest.writable++;
}

static inline void plain_close(struct airlock_channel *channel)
{
	u64 id;

	airlock_channel_close(channel);
	while (request_reclaim(&channel->requests, &id))
		request_release(&channel->requests, id);
	airlock_channel_forget(channel);
}

static inline int plain_probe(struct airlock_device *device)
{
	guest.probes++;
	guest.probed = device;
	if (!guest.keep_closed)
		guest.opened = airlock_channel_open(device->primary, &guest.config);
	if (!guest.opened)
		airlock_subchannels_wanted(device, guest.wanted);
	return 0;
}

static inline void plain_remove(struct airlock_device *device)
{
	guest.removes++;
	plain_close(device->primary);
	if (guest.probed == device)
		guest.probed = NULL;
}

static inline void plain_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	guest.subchannels++;
	guest.subchannel = channel;
	if (guest.grow)
		assert_int_equal(airlock_channel_open(channel, &guest.config), 0);
}

static inline void plain_subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	assert_ptr_equal(channel->device, device);
	assert_int_equal(guest.removes, 0);
	guest.subchannels_gone++;
	guest.subchannel = NULL;
	plain_close(channel);
}

static const struct airlock_driver plain_driver = {
	.name = "plain", .class = plain_class, .probe = plain_probe, .remove = plain_remove,
	.subchannel = plain_subchannel, .subchannel_gone = plain_subchannel_gone,
};

static const struct airlock_driver simple_driver = {
	.name = "simple", .class = plain_class, .probe = plain_probe, .remove = plain_remove,
};

static inline int bus_add(struct airlock_device *device)
{
	if (guest.refuse)
		return -ENODEV;
	device->driver = guest.simple ? &simple_driver : &plain_driver;
	return plain_driver.probe(device);
}

static inline void bus_remove(struct airlock_device *device)
{
	plain_driver.remove(device);
	device->driver = NULL;
}

static const struct airlock_bus_ops plain_bus = { .add = bus_add, .remove = bus_remove };

/* ---- the host's device: it completes what is to be completed, with the same payload ---- */

static inline void host_echo(struct host_channel *ch, const struct host_packet *p)
{
	if (p->flags & 1)
		host_complete(ch, p->transaction, p->payload, p->payload_size);
}

/* ---- start and end ---- */

/* Everything but the guest's connection; knobs can be set afterwards. */
static inline void guest_prepare(enum sim_kind kind)
{
	memset(&guest, 0, sizeof(guest));
	guest.isolated = kind != SIM_PLAIN;
	shim_start(false, CPUS);
	sim_start(kind, PAGES);
	guest.host = host_create(CPUS);
	guest.device.name = "plain";
	memcpy(guest.device.class, plain_class, GUID_BYTES);
	memcpy(guest.device.instance, plain_instance, GUID_BYTES);
	guest.device.packet = host_echo;
	policy_defaults(&guest.policy, guest.isolated);
	guest.policy.classes = NULL;
	guest.config = (struct airlock_channel_config){
		.pages_out = RING_PAGES, .pages_in = RING_PAGES, .packet_bytes = 1024, .send_bytes = 1024,
		.requests = 4, .receive = plain_packet, .writable = plain_writable, .dead = plain_dead,
	};
}

static inline int guest_init(void)
{
	int error;

	guest.model = model_create(guest.host, CPUS, guest.trusted);
	guest.transport = model_transport(guest.model);
	error = airlock_connection_init(&guest.connection, guest.transport, sim_visibility(), &plain_bus,
					&guest.policy);
	if (!error)
		model_attach(guest.model, &guest.connection);
	guest.initialized = !error;
	return error;
}

static inline int guest_connect(void)
{
	if (!guest.initialized)
		assert_int_equal(guest_init(), 0);
	return airlock_connect(&guest.connection);
}

/* A guest with its device probed. */
static inline void guest_start(enum sim_kind kind)
{
	guest_prepare(kind);
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(guest.probes, 1);
	assert_int_equal(guest.opened, 0);
}

/* The host is honest again, and the guest leaves; @leaked pages are lost. */
static inline void guest_end_with(unsigned int leaked)
{
	host_script(guest.host, NULL, NULL);
	memset(&guest.host->hooks, 0, sizeof(guest.host->hooks));
	if (guest.initialized) {
		airlock_disconnect(&guest.connection);
		assert_int_equal(guest.connection.channel_count, 0);
		assert_true(list_empty(&guest.connection.devices));
		airlock_connection_destroy(&guest.connection);
	}
	assert_false(sim_secret_shows());
	assert_int_equal(atomic_read(&sim_visibility()->leaked), leaked);
	model_destroy(guest.model);
	shim_stop();
	host_destroy(guest.host);
	if (shim_allocated())
		shim_print_allocated();
	assert_int_equal(shim_allocated(), 0);
	sim_stop(leaked);
}

static inline void guest_end(void)
{
	guest_end_with(0);
}

/* ---- what tests do ---- */

static inline struct airlock_channel *primary(void)
{
	assert_non_null(guest.probed);
	return guest.probed->primary;
}

static inline void script(const char *text)
{
	assert_int_equal(host_script(guest.host, text, "test"), 0);
}

/* How often a rule of the core was broken. */
static inline u32 broken(enum core_rule rule)
{
	return violations_count(&guest.connection.violations, CORE_RULE_ID(rule));
}

static inline u32 broken_control(enum control_rule rule)
{
	return violations_count(&guest.connection.violations, control_rule_ids[rule]);
}

/* A message of the host, made by hand: words of 4 bytes, behind the header. */
static inline void say_words(u32 type, u32 count, const u32 *words)
{
	u8 message[HOST_MESSAGE_BYTES] = { 0 };
	u32 i;

	wire_put_le32(message, type);
	for (i = 0; i < count; i++)
		wire_put_le32(message + 8 + 4 * i, words[i]);
	host_post(guest.host, message, 8 + 4 * count);
	shim_run(10);
}

#define say(type, ...) say_words(CONTROL_MESSAGE_TYPE_##type, sizeof((u32[]){ __VA_ARGS__ }) / 4, (u32[]){ __VA_ARGS__ })

/* One request that is to be completed, sent and waited for. */
static inline bool round_trip(struct airlock_channel *channel)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = GUID_BYTES };
	unsigned int before = guest.completions;
	u64 id = request_reserve(&channel->requests, channel);

	if (!id)
		return false;
	if (airlock_send_request(channel, &p, id)) {
		request_release(&channel->requests, id);
		return false;
	}
	shim_run(20);
	return guest.completions == before + 1;
}

/* How many of our messages of a type the host has heard; by a hook. */
static u32 heard_type, heard_count;
static u8 heard_message[HOST_MESSAGE_BYTES];
static u32 heard_size;

static inline bool hear_hook(struct host *h, void *argument, const u8 *message, u32 size)
{
	(void)h;
	(void)argument;
	if (wire_le32(message) == heard_type) {
		heard_count++;
		heard_size = size;
		memcpy(heard_message, message, size);
	}
	return true;
}

static inline void listen_for(u32 type)
{
	heard_type = type;
	heard_count = 0;
	guest.host->hooks.incoming = hear_hook;
}

#endif
