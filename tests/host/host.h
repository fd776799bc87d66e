/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model host: a VMBus server as the catalogues of facts describe one, and what a hostile
 * one can do. It shares no code with the guest's side (only plain numbers are written twice,
 * on purpose), and reaches guest memory only by host_memory(), which ends the program if the
 * page was never shared.
 */
#ifndef AIRLOCK_TESTS_HOST_H
#define AIRLOCK_TESTS_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_CHANNELS 2048
#define HOST_MESSAGE_BYTES 240
#define HOST_CPUS 64
#define HOST_INBOX 64			/* messages of the guest that wait; then: insufficient buffers */

struct host;
struct host_channel;
struct host_packet;

/* A device of the host: what it offers and how it answers packets. */
struct host_device {
	const char *name;
	uint8_t class[16], instance[16];
	uint16_t flags, mmio_megabytes;
	uint8_t user[120];
	void (*opened)(struct host_channel *ch);
	void (*closed)(struct host_channel *ch);
	/* A packet of the guest lies in private (host) memory: p->bytes etc. Called from host_run(). */
	void (*packet)(struct host_channel *ch, const struct host_packet *p);
	void *state;
};

/* A packet read from, or to be written to, a ring. Fields override what an honest host would write. */
struct host_packet {
	uint16_t type, offset8, length8, flags;
	uint64_t transaction;
	const uint8_t *bytes;		/* of payload (sending), of the whole packet (receiving) */
	uint32_t size;
	const uint8_t *payload;		/* receiving */
	uint32_t payload_size;
	/* receiving GPA_DIRECT: the first range */
	uint32_t range_count, byte_count, byte_offset;
	const uint64_t *gfns;
	uint32_t gfn_count;
	bool raw;			/* sending: 0 in offset8 or length8 is meant, not "as it should be" */
};

/* WAITING: the host has it, this guest has not heard of it. */
enum host_channel_state { HOST_GONE, HOST_OFFERED, HOST_OPENED, HOST_RESCINDED, HOST_WAITING };

struct host_gpadl {
	uint32_t handle, relid;
	uint32_t pages, pages_wanted;
	uint64_t *gfns;			/* of all ranges */
	bool complete, torn;
	uint32_t range_count, byte_count, byte_offset;	/* the latter two of the first range */
	uint32_t words, words_wanted;	/* of range data: heard, announced */
	uint64_t *data;
	struct host_gpadl *next;
};

/* Transaction ids that await a completion. */
struct host_ids {
	uint64_t *ids;
	uint32_t count, room;
};

/* An answer for which the ring had no room. */
struct host_backlog {
	struct host_packet packet;
	struct host_backlog *next;
	uint8_t payload[];
};

struct host_channel {
	struct host *host;
	struct host_device *device;
	uint32_t relid, connection_id, open_id, ring_handle, target_vp, downstream;
	uint16_t index;
	enum host_channel_state state;
	struct host_gpadl *ring;
	uint32_t in_size, out_size;	/* data bytes; "in" is to the host, "out" to the guest */
	uint32_t in_read, out_write;	/* the host's own indices */
	uint64_t received, sent, signals;	/* packets; signals to the guest */
	bool mask_wanted;		/* the host polls: keeps the interrupt mask set */

	/*
	 * Signals of the guest. spurious: beyond what a host grants. Exact, and errors too, where
	 * everything is one thread: needless ones, that neither new data nor new room is a reason
	 * for, and missed ones, when data lay in an empty ring unannounced.
	 */
	uint64_t heard, spurious, needless, missed;
	uint32_t credits;
	bool signalled;			/* and not yet looked at */
	bool expecting;			/* the ring to the host was drained: new data deserves a signal */
	uint32_t blocked;		/* pending send size that waits for a signal of the guest; 0: none */
	bool broken;			/* the guest has broken a rule of rings: the host has let go of them */
	bool reoffer;			/* again, under the same relid, as soon as it is released */
	uint32_t opens;			/* times, of whatever had this relid */
	uint8_t user[120];		/* of the open message */
	uint16_t event_flag;		/* what the guest is signalled with */
	uint8_t monitor_id;		/* 0xff: none */
	uint64_t *ring_gfns;		/* of the last open; they stay known after a close, for hostile use */
	uint32_t ring_pages;
	uint32_t in_known;		/* the guest's write index, as last accepted */
	uint32_t in_published;		/* the read index the guest knows */
	uint32_t out_known;		/* the guest's read index, as last accepted */
	bool flow_control;		/* the guest's feature bit */
	uint32_t barriers;
	uint64_t kick_at;		/* ms: an extra signal after an open; 0: none */
	struct host_backlog *backlog, **backlog_end;
	struct host_ids asked;		/* by the guest, who expects completions */
	struct host_ids asking;		/* by the host */
};

/* What an honest host would post next, before it leaves: a hostile one changes or drops it. */
struct host_message {
	uint8_t bytes[HOST_MESSAGE_BYTES];
	uint32_t size;
	uint32_t slot_type;		/* 1 */
	uint32_t payload_size;		/* as written in the slot; = size */
	uint8_t flags;
	uint32_t cpu;			/* of the slot; the guest's choice */
	uint64_t due;			/* ms of virtual time */
	uint32_t sint;			/* 0 is 2, that of VMBus */
};

/* What the guest has posted and the host has not yet looked at. */
struct host_post {
	uint8_t bytes[HOST_MESSAGE_BYTES];
	uint32_t size, connection_id;
};

/* A processor's pages, by number, and what the host knows of its message slot. */
struct host_synic {
	uint64_t slots, flags;
	bool enabled;
	bool waiting;			/* for an end of message */
	uint64_t delivered;		/* messages */
};

/* Hostility: hooks that tests set. All may be NULL. */
struct host_hooks {
	void *argument;
	/* A message of the guest has arrived. true: deal with it as usual. */
	bool (*incoming)(struct host *h, void *argument, const uint8_t *message, uint32_t size);
	/* A message is about to leave. May change it, post others; true: it leaves. */
	bool (*outgoing)(struct host *h, void *argument, struct host_message *m);
	/* A packet of the guest has arrived. true: deal with it as usual. */
	bool (*packet)(struct host_channel *ch, void *argument, const struct host_packet *p);
	/* A packet is about to be written. May change it; true: it is written. */
	bool (*sending)(struct host_channel *ch, void *argument, struct host_packet *p);
	/* The guest is about to fetch from host memory. */
	void (*fetching)(struct host *h, void *argument, const void *at, uint32_t size);
	/* Result word of a post or signal; the honest one is 0. */
	uint64_t (*post_result)(struct host *h, void *argument, const uint8_t *input, bool *deliver);
	uint64_t (*signal_result)(struct host *h, void *argument, const uint8_t *input, bool *deliver);
	/* The host runs; whether this did something. And when (ms) it will: all ones: never. */
	bool (*running)(struct host *h, void *argument);
	uint64_t (*next)(struct host *h, void *argument);
};

/* What the guest is about to fetch. */
enum host_area { HOST_OUT_DATA, HOST_OUT_CONTROL, HOST_IN_DATA, HOST_IN_CONTROL, HOST_SLOT, HOST_FLAGS };

struct host_place {
	enum host_area area;
	uint32_t relid;			/* of rings */
	uint32_t cpu;			/* of slots and flags */
	uint32_t offset;		/* bytes from the start of the area */
	uint32_t packet;		/* HOST_OUT_DATA: where the oldest packet starts that the guest has not read */
};

struct host {
	uint32_t versions[16], version_count;	/* supported */
	uint32_t features;
	uint32_t version, granted;
	uint32_t connection_id;			/* of the guest's messages, from 5.0 on */
	bool connected, offers_requested, unloaded;
	uint32_t target_vp;
	struct host_channel channels[HOST_CHANNELS];
	uint32_t top;				/* above the highest relid ever given */
	struct host_gpadl *gpadls;
	uint64_t gpadl_bytes, gpadl_bytes_max;
	struct host_message *queue;		/* waiting for a free slot, oldest first */
	uint32_t queued, queue_room;
	struct host_hooks hooks;
	uint64_t messages_in, messages_out, delivered, errors;
	uint32_t cpus;
	bool answers;				/* false: a host that hears everything and never answers */
	bool eom;				/* an end of message is wanted */
	char last_error[160];

	struct host_hooks script_hooks;		/* those of a script; they come after the others */
	void (*script_end)(struct host *h);
	bool trusted;				/* it is the paravisor: sees private memory, may grant 0x10 */
	bool threads;				/* guest and host run at the same time */
	bool kicks;				/* an extra signal 100 ms after each open, as OpenVMM */
	bool paused;
	uint32_t monitor_next;			/* monitor id */
	uint64_t monitor_pages[2];		/* page numbers: to the guest, to the host; 0: none */
	struct host_post inbox[HOST_INBOX];
	uint32_t inbox_first, inbox_count;
	uint32_t refused_handle;		/* of the GPADL refused last, bodies of which may follow */
	struct host_synic synic[HOST_CPUS];
	uint64_t needless_eoms;
	uint64_t layout;			/* changes with each open and close, and with SynIC pages */
	/* The wires of the interrupts: nothing of the guest runs in there. */
	void (*interrupt)(void *argument, uint32_t cpu, bool event);
	void *interrupt_argument;
	/* Where a fetch of the guest goes: set by the model, which knows the guest's addresses. */
	bool (*locate)(struct host *h, const void *at, struct host_place *place);
	pthread_mutex_t lock;
};

struct host *host_create(uint32_t cpus);
void host_destroy(struct host *h);

/* Takes what the guest has left for it, posts what is due. true: something happened. Deterministic mode calls it. */
bool host_run(struct host *h);
/* When (ms) there will be something to do without the guest doing anything first; all ones: never. */
uint64_t host_next(struct host *h);
/* One at a time, and again by who has it. Functions of this header lock for themselves; hooks are called with it. */
void host_lock(struct host *h);
void host_unlock(struct host *h);
/* The guest has done what no honest guest does. */
void host_error(struct host *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The pages of a processor's SynIC: numbers. */
void host_set_synic(struct host *h, uint32_t cpu, uint64_t slots_gfn, uint64_t flags_gfn);

/* Devices. */
struct host_channel *host_offer(struct host *h, struct host_device *device, uint16_t index);
void host_rescind(struct host *h, struct host_channel *ch);
/* All channels of a device, sub-channels first. */
void host_remove_device(struct host *h, struct host_device *device);
struct host_channel *host_find(struct host *h, uint32_t relid);

/* The guest's transport ends here. */
uint64_t host_hear_post(struct host *h, const uint8_t *input);
uint64_t host_hear_signal(struct host *h, const uint8_t *input);
void host_hear_eom(struct host *h, uint32_t cpu);

/* Control messages, honest or not; the hooks do not hear of these. Memory of h->queue moves with each. */
void host_post(struct host *h, const void *message, uint32_t size);
void host_post_raw(struct host *h, const struct host_message *m);
void host_set_event(struct host *h, uint32_t cpu, uint32_t bit);

/* Guest memory, as the host sees it: ends the program if a page was never shared. */
void *host_memory(uint64_t gfn, uint32_t offset, uint32_t size);
/* Somebody hostile tells the guest to write what the host reads, or the reverse: that these two race is no finding. */
extern bool host_races;
/* A string of 6 bytes of what fills private memory that was never written (sim_secret) is in there. */
bool host_leaks(const void *bytes, uint32_t size);
void host_read_range(const uint64_t *gfns, uint32_t offset, void *to, uint32_t size);
void host_write_range(const uint64_t *gfns, uint32_t offset, const void *from, uint32_t size);

/*
 * Rings; the ring "in" is to the host, "out" to the guest. host_send() is honest about indices, whatever the
 * packet says of itself: false if there is no room or no ring. host_complete() waits for room in a backlog,
 * and the host reads no more packets of the channel until it is empty.
 */
enum host_field { HOST_WRITE_INDEX, HOST_READ_INDEX, HOST_INTERRUPT_MASK, HOST_PENDING_SIZE, HOST_FEATURES };
bool host_send(struct host_channel *ch, const struct host_packet *p);
bool host_complete(struct host_channel *ch, uint64_t transaction, const void *payload, uint32_t size);
uint32_t *host_field(struct host_channel *ch, bool to_guest, enum host_field field);
void host_poke(struct host_channel *ch, bool to_guest, enum host_field field, uint32_t value);
uint32_t host_peek(struct host_channel *ch, bool to_guest, enum host_field field);
void host_ring_write(struct host_channel *ch, uint32_t at, const void *bytes, uint32_t size);	/* data to the guest */
void host_ring_read(struct host_channel *ch, bool to_guest, uint32_t at, void *bytes, uint32_t size);
void host_signal(struct host_channel *ch);
/* Asks the guest for a signal when @bytes are free. true: they are already. */
bool host_block(struct host_channel *ch, uint32_t bytes);
/* All pages of the rings last opened can still be reached; a guest may have taken them back. */
bool host_reaches(struct host_channel *ch);
bool host_ring_empty(struct host_channel *ch);		/* the guest has read everything */

#endif
