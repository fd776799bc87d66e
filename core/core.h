/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What crosses files of the core and drivers must not see. "Locked": with the connection's
 * lock held. A finding made there is acted upon when the lock is let go.
 */
#ifndef AIRLOCK_CORE_H
#define AIRLOCK_CORE_H

#include "airlock.h"

#define MESSAGE_BYTES 240		/* the most that a slot or a post holds */
#define CONNECTION_ID_OLD 1		/* for messages, before 5.0 */
#define CONNECTION_ID 4			/* for contact from 5.0 on; then the host says */
#define LIMIT_GPADL_OLD (384ULL << 20)	/* what hosts before 5.2 take in all */

/* A broken rule. 0: none. */
struct finding {
	u32 rule;			/* its id */
	enum policy_offence offence;
	struct airlock_channel *channel;
	bool quarantine, fatal;		/* the channel, the connection cannot go on, whatever the policy says */
};

/* message.c */
void message_tasklet(struct tasklet_struct *t);
/* Frees the slots of all processors, unread. Process context. */
void message_empty_slots(struct airlock_connection *c);
/*
 * Posts and, if it must, tries again until post_deadline; may sleep. 0; -ENXIO: no such connection id
 * (only told to a @contact); -ETIMEDOUT, and then the connection is dead; -EIO: refused.
 */
int __must_check message_post(struct airlock_connection *c, const u8 *message, u32 size, bool contact);
/* For what the host loses most by not hearing. */
void message_tell(struct airlock_connection *c, const u8 *message, u32 size);
/* One attempt, for those who go. */
void message_post_once(struct airlock_connection *c, const u8 *message, u32 size);
/* Waits at most @ms for an answer, and near the end looks once at what the host may have queued. */
bool __must_check message_wait(struct airlock_connection *c, struct completion *answered, u32 ms);

/* control.c */
void control_hear(struct airlock_connection *c, const u8 *message, u32 size);
/* Builds @m, moves the session, locked. 0, -EPROTO: not now. */
int __must_check control_say_connection(struct airlock_connection *c, const struct control_message *m, u8 *message,
					u32 *size);
int __must_check control_say_channel(struct airlock_connection *c, struct control_channel_session *session,
				     const struct control_message *m, u8 *message, u32 *size);

/* connection.c; the first one locked */
void connection_hear(struct airlock_connection *c, const struct control_message *m);
int __must_check connection_contact(struct airlock_connection *c, u32 ceiling, u32 floor, u32 features);
/* Forgets all channels and relids. */
void connection_forget(struct airlock_connection *c);
/* Says goodbye, forgets all GPADLs. True: the host has let go of everything. */
bool connection_unload(struct airlock_connection *c);

/* contact.c */
int __must_check contact_host(struct airlock_connection *c, u32 ceiling, u32 floor, u32 features);
int __must_check contact_request_offers(struct airlock_connection *c);
/* Says goodbye and waits: true if the host has let go of everything. */
bool __must_check contact_unload(struct airlock_connection *c);
void contact_farewell(struct airlock_connection *c);

/* offer.c: locked. Judges an offer; places it, or notes it for release. */
void offer_hear(struct airlock_connection *c, const struct control_message *m, struct finding *found);
void offer_release_work(struct work_struct *work);

/* class.c: what is known of a class of devices beforehand */
enum class_pipe { PIPE_EITHER, PIPE_NEVER, PIPE_ALWAYS };

struct device_class {
	const u8 *class;
	const u8 *instance;		/* the only one there is; NULL: any */
	enum class_pipe pipe;
	bool busy;			/* its interrupts are worth spreading over processors */
	u16 mmio_megabytes_max;
};

const struct device_class *class_find(const u8 *class);
bool class_is_known(const u8 *class);

/* device.c */
struct airlock_device *device_create(struct airlock_connection *c, const struct control_offer *o);
/* Locked; false: no room in the queue. */
bool __must_check device_queue(struct airlock_connection *c, struct airlock_channel *channel, bool rescinded);
void device_hear_rescind(struct airlock_connection *c, struct airlock_channel *channel, struct finding *found);
void device_work(struct work_struct *work);
void device_remove_subchannels(struct airlock_device *device);
/* Gives a relid back, if the channel's session says that this is the moment. Process context. */
void device_release(struct airlock_channel *channel);

/* channel.c */
struct airlock_channel *channel_create(struct airlock_device *device);
/* The rest locked. What an offer says of it, anew for each one. */
void channel_take_offer(struct airlock_channel *channel, const struct control_offer *o);
void channel_insert(struct airlock_channel *channel);
void channel_remove(struct airlock_channel *channel);
/* The next one from *@relid on, which is left behind it; NULL: there are no more. */
struct airlock_channel *channel_next(const struct airlock_connection *c, u32 *relid);
void channel_hear_open(struct airlock_channel *channel, const struct control_open_result *m);
/* No packet from now on; all who wait for it wait no more. */
void channel_die(struct airlock_channel *channel, int error);
/* Quarantine: that, and what of its memory was about to be named to the host never will be. */
void channel_put_away(struct airlock_channel *channel, int error);
bool channel_is_open(const struct airlock_channel *channel);
bool channel_is_closed(const struct airlock_channel *channel);
/* 0, -EIO: the host has refused, -EPROTO: it said neither yes nor no. */
int channel_status(struct airlock_channel *channel, u32 status);

/* gpadl.c: locked, but for gpadl_drop() */
void gpadl_hear(struct airlock_connection *c, const struct control_message *m, struct finding *found);
/* Those of a channel that wait to be created will not be. */
void gpadl_abandon(struct airlock_channel *channel, int error);
/* All who wait, for creation or teardown, wait no more. */
void gpadl_fail_all(struct airlock_connection *c, int error);
void gpadl_forget_all(struct airlock_connection *c, bool unloaded);
/* Takes one out of the table, whatever the host may still do with it. */
void gpadl_drop(struct airlock_connection *c, struct gpadl *g);

/* transfer.c */
void transfer_tasklet(struct tasklet_struct *t);

/* placement.c; the latter two locked */
u32 placement_vp(struct airlock_connection *c, u32 cpu);
u32 placement_first(struct airlock_connection *c, const u8 *class);
void placement_hear(struct airlock_channel *channel, const struct control_modify_response *m);

/* event.c: takes the flags of a processor; returns whether there were any. */
bool event_scan(struct airlock_connection *c, u32 cpu);

/* violation.c: counted and logged; what it costs is not the policy's but the caller's to say. */
void violation_note(struct airlock_connection *c, struct airlock_channel *channel, enum core_rule rule);
/* Pages were leaked since the last look. Process context. */
void violation_note_leaks(struct airlock_connection *c, struct airlock_channel *channel);
void violation_act(struct airlock_connection *c, const struct finding *found);

#endif
