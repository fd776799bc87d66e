/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What crosses files of the core, and what drivers see: the connection, devices, channels.
 *
 * Locks, outermost first: device->binding (whose functions are called for it; may sleep),
 * device->mutex (opens, closes and moves of its channels; may sleep), connection->lock (all control
 * sessions, tables of channels and GPADLs; taken in interrupts), ring and table locks. Nothing waits
 * for the host with a lock held but the first two, and never for ever. Drivers are called with no
 * lock held but device->binding.
 */
#ifndef AIRLOCK_H
#define AIRLOCK_H

#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "control.h"
#include "gpadl.h"
#include "hostmem.h"
#include "inbound.h"
#include "outbound.h"
#include "policy.h"
#include "request.h"
#include "violation.h"
#include "transport.h"

#define RELIDS 2048
#define NO_MONITOR 0xff
#define NO_CPU (~0U)

struct airlock_connection;
struct airlock_device;
struct airlock_channel;

/* A driver's half of a channel. Its functions run in softirq context, never two of one channel at once. */
struct airlock_channel_config {
	u32 pages_out, pages_in;	/* of each ring, control page included */
	u32 packet_bytes;		/* largest packet of the host, descriptor included */
	u32 send_bytes;			/* largest of ours */
	u32 requests;			/* outstanding at once */
	bool host_may_ask;		/* for completions */
	bool takes_transfers;
	u16 transfer_set;
	u32 transfer_bytes, ranges_max;
	const u8 *user;			/* device data of the open message, at most 120 bytes */
	u32 user_bytes;
	void *driver;
	void (*receive)(struct airlock_channel *channel, const struct ring_message *m);
	void (*writable)(struct airlock_channel *channel);	/* room again; may be NULL */
	void (*dead)(struct airlock_channel *channel);	/* no packet will come any more; may be NULL */
};

struct airlock_channel {
	struct airlock_connection *connection;
	struct airlock_device *device;
	struct list_head node;		/* of the device's sub-channels */
	refcount_t references;
	void *bus_data;			/* of the bus above */

	u32 relid;
	u32 signal_id;			/* connection id of its signals */
	u16 index;			/* 0: the primary */
	u16 flags;			/* of the offer */
	u8 monitor;			/* bit of the monitor page; 0xff: none */
	u8 user[120];			/* of the offer */

	/* under the connection's lock */
	struct control_channel_session session;
	bool dead;			/* rescinded, quarantined, or the connection is gone */
	bool rescinded;
	bool announced;			/* its device, or its driver, has heard of it */
	bool mourned;			/* config.dead() was called */
	u32 open_id;			/* of the last attempt */
	struct completion opened, moved;
	int open_result, move_result;	/* 0, or -errno, of the last answer */
	u32 move_cpu;			/* the one asked for */

	struct airlock_channel_config config;
	struct hostmem memory;
	struct gpadl gpadl;
	struct outbound out;
	struct inbound in;
	struct request_table requests;	/* from open until airlock_channel_forget() */
	bool given_back;		/* of the last close: the host is done with all it knew of the channel */

	u32 cpu;			/* where its interrupts go */
	u32 old_cpu;			/* and may still go, after a move that was not acknowledged; or NO_CPU */
	bool ready;			/* rings are mapped, the host may know of them: events are heard */
	struct tasklet_struct tasklet;

	struct violations violations;
	u64 events, runs;
};

enum airlock_device_state { DEVICE_OFFERED, DEVICE_BOUND, DEVICE_REMOVING, DEVICE_GONE };

struct airlock_device {
	struct airlock_connection *connection;
	struct list_head node;
	refcount_t references;
	struct mutex binding, mutex;
	u8 class[16], instance[16];
	u16 mmio_megabytes;
	struct airlock_channel *primary;
	struct list_head subchannels;
	u16 subchannels_wanted;		/* as many as the driver has asked the device for */
	enum airlock_device_state state;
	const struct airlock_driver *driver;	/* under @binding, or where no bus binds or unbinds */
	void *driver_data;
	void *bus_data;			/* of the bus above */
	struct work_struct add_work, remove_work;
};

struct airlock_driver {
	const char *name;
	const u8 *class;
	int (*probe)(struct airlock_device *device);	/* may sleep; opens device->primary */
	/* The reverse: of sub-channels too, and those before the primary; the host may be gone already. */
	void (*remove)(struct airlock_device *device);
	void (*subchannel)(struct airlock_device *device, struct airlock_channel *channel);	/* one more */
	void (*subchannel_gone)(struct airlock_device *device, struct airlock_channel *channel);
};

/*
 * The bus above: Linux's device model, or a test. Called in process context, in the order of the offers.
 * It binds drivers by itself: in add(), whenever it likes later, and unbinds them no later than in remove().
 */
struct airlock_bus_ops {
	int (*add)(struct airlock_device *device);
	void (*remove)(struct airlock_device *device);
	/* A sub-channel the driver is about to hear of, or has heard the last of; both may be NULL. */
	void (*channel_added)(struct airlock_channel *channel);
	void (*channel_removed)(struct airlock_channel *channel);
};

/* A control message that process context has to deal with; enough of them are allocated at start. */
struct airlock_event {
	struct list_head node;
	struct airlock_channel *channel;
	bool rescinded;			/* else: offered */
};

struct airlock_connection {
	struct transport *transport;
	struct visibility *visibility;
	const struct airlock_bus_ops *bus;
	struct airlock_policy policy;

	spinlock_t lock;
	struct control_context context;
	struct control_connection_session session;
	struct airlock_channel *channels[RELIDS];
	u32 channel_count;
	struct gpadl_table gpadls;
	struct list_head devices;
	u32 message_id;			/* connection id of our messages */
	u32 connect_cpu;
	u32 next_open_id;
	u32 stream_requests;		/* hvsock: tl_connect outstanding */
	bool dead;
	bool suspended;			/* offers and rescinds are not heard */
	bool resuming;			/* devices without a relid may come back */
	bool leaving;			/* all devices are being removed */
	bool closing;			/* for good: message slots are read no more */
	bool silent;			/* the host did not answer meanwhile: it is not asked again, but to unload */
	bool farewell;			/* the unload message of a dead connection is posted, or was */
	bool told;			/* of the monitor pages: the host, and it has not let go of them */
	u32 offer_tokens, offer_time;	/* time in jiffies */
	DECLARE_BITMAP(releases, RELIDS);	/* relids of refused offers, yet to be released */
	u32 next_cpu;			/* for the next channel */

	struct completion contacted, offered, unloaded;
	int contact_result;
	bool contact_supported;

	struct tasklet_struct tasklet;	/* reads message slots */
	struct workqueue_struct *queue;	/* ordered: offers and rescinds */
	struct work_struct work;
	struct delayed_work release_work;	/* on the same queue */
	struct list_head events, free_events;
	struct airlock_event *event_pool;

	struct hostmem monitors;	/* two pages, or none */
	int leaked;			/* pages, as last counted */
	struct violations violations;
	u64 messages, posts, retries;
	atomic_t signals, monitor_signals;
};

/* connection.c: process context, one at a time */
int __must_check airlock_connection_init(struct airlock_connection *c, struct transport *transport,
					 struct visibility *visibility, const struct airlock_bus_ops *bus,
					 const struct airlock_policy *policy);
int __must_check airlock_connect(struct airlock_connection *c);
void airlock_disconnect(struct airlock_connection *c);
void airlock_connection_destroy(struct airlock_connection *c);

/* suspend.c: all drivers have closed their devices' primaries, and open them again afterwards. */
int __must_check airlock_suspend(struct airlock_connection *c);
int __must_check airlock_resume(struct airlock_connection *c);

/* message.c, event.c: from the interrupt of a processor */
void airlock_message_interrupt(struct airlock_connection *c, u32 cpu);
void airlock_event_interrupt(struct airlock_connection *c, u32 cpu);

/*
 * channel.c. A driver that goes away: airlock_channel_close(), after which none of its functions
 * runs and no completion comes; request_reclaim() on channel->requests, until it is empty, with
 * airlock_channel_forget() last. What else the host knew of (bounce pools) is to be destroyed
 * with channel->given_back.
 */
int __must_check airlock_channel_open(struct airlock_channel *channel, const struct airlock_channel_config *config);
void airlock_channel_close(struct airlock_channel *channel);
void airlock_channel_forget(struct airlock_channel *channel);

/* transfer.c: packets. Any context but hard interrupts. */
void airlock_channel_poll(struct airlock_channel *channel);
/*
 * 0: sent. -EAGAIN: no room; config.writable() will be called, if there is one, when there is. -EMSGSIZE:
 * never. -ENODEV: the channel is closed or dead.
 */
int __must_check airlock_send(struct airlock_channel *channel, const struct outbound_packet *p);
/* With an id reserved in channel->requests; in flight on success, released by the caller on failure. */
int __must_check airlock_send_request(struct airlock_channel *channel, struct outbound_packet *p, u64 id);
/* The owner of the request a completion answers, or NULL: then it was counted and is to be dropped. */
void *__must_check airlock_take_completion(struct airlock_channel *channel, const struct ring_completion *m);

/*
 * gpadl.c: more memory named to the host, of a channel: network buffers. After a failure, and after
 * the teardown, gpadl_given_back() says whether the host has nothing of it. May sleep.
 */
int __must_check airlock_gpadl_create(struct airlock_channel *channel, struct gpadl *g, const struct hostmem *memory);
void airlock_gpadl_teardown(struct airlock_channel *channel, struct gpadl *g);

/* placement.c: which processor a channel interrupts. May sleep. */
int __must_check airlock_channel_move(struct airlock_channel *channel, u32 cpu);
/* A processor goes away: 0, or -EBUSY while channels may still interrupt it. */
int __must_check airlock_cpu_offline(struct airlock_connection *c, u32 cpu);

/* class.c */
u16 class_number(const u8 *class);

/* violation.c: @rule is a rule's id; the answer is the policy's. Any context, no lock of the core held. */
void airlock_violation(struct airlock_connection *c, struct airlock_channel *channel, u32 rule,
		       enum policy_offence offence);
void airlock_quarantine(struct airlock_channel *channel);
void airlock_kill_connection(struct airlock_connection *c);

/* device.c: a bus binds a driver to a device, and lets it go; as often as it likes. May sleep. */
int __must_check airlock_device_bind(struct airlock_device *device, const struct airlock_driver *driver);
void airlock_device_unbind(struct airlock_device *device);
/* A driver says how many sub-channels it is about to ask the device for; more are refused. */
void airlock_subchannels_wanted(struct airlock_device *device, u16 count);
void airlock_channel_get(struct airlock_channel *channel);
void airlock_channel_put(struct airlock_channel *channel);
void airlock_device_get(struct airlock_device *device);
void airlock_device_put(struct airlock_device *device);

#endif
