/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the attacks on storage have in common: the controller's lies, places in rings that
 * are known to have been fetched, commands with data that is checked byte for byte.
 */
#ifndef AIRLOCK_TESTS_STORAGE_ACT_H
#define AIRLOCK_TESTS_STORAGE_ACT_H

#include "attack.h"
#include "storage.h"

#define BLOCK 512
#define ANY_COMMAND (-1)
#define HELD_MAX 64

/* Operations, statuses and commands as the catalogue numbers them. */
enum {
	READ_10 = 0x28, WRITE_10 = 0x2a, TEST_UNIT_READY = 0x00, INQUIRY = 0x12, READ_CAPACITY = 0x25,
	GOOD = 0x00, CHECK_CONDITION = 0x02, AUTOSENSE = 0x80,
};

/* ---- scenes ---- */

/* As those of attack.h, with a plain device and a controller, and with the hooks below in place. */
void act_prepare(void);
/* Of another kind: SCENE_PLAIN, SCENE_CONFIDENTIAL. */
void act_prepare_as(unsigned int kind);
void act_start(void);
/* Contact and probes after act_prepare(). */
void act_connect(void);
/* Broken rules are counted, and cost nothing: for attacks that go on after the first. */
void act_lenient(void);
/* All works, all ends. */
void act_works(void);
/* The plain device works, all ends; @leaks pages are lost. */
void act_gone(u32 leaks);
/* The controller's first channel is put away, the plain device works, all ends. */
void act_put_away(void);
/* The probe of the controller has failed, the plain device works, all ends. */
void act_refused(void);
struct airlock_channel *disk_channel(void);
/* Sub-channels, as many as are granted; their ends. */
u32 act_grow(u32 wanted);
struct host_channel *host_subchannel(u16 index);
/* @act runs in process context in @ms; whatever waits then goes on waiting. */
void act_later(u32 ms, void (*act)(void));

/* ---- fetches ---- */

/* A piece of a ring; the guest's first fetch of it is a strike. */
struct watch {
	struct host_channel *channel;
	enum host_area area;
	u32 from, size;
	const char *what;
	u32 bytes;			/* fetched so far */
	void (*then)(struct watch *w);	/* called once, when all of it was fetched and something else is */
};

struct watch *watch_ring(struct host_channel *ch, enum host_area area, u32 from, u32 size, const char *what);
/* Called before each fetch; NULL: nobody. */
extern void (*act_on_fetch)(const struct host_place *place, u32 size);

/* Of memory that is neither ring nor slot: the host's address. */
extern void (*act_on_data_fetch)(const u8 *at, u32 size);
/* When the target hears a command, before it looks at its data. */
extern void (*act_on_command)(struct host_channel *ch, const struct host_packet *p);

/* ---- lies ---- */

/* Changes an answer; false: it is withheld, and lies in held[]. */
typedef bool (*twist)(struct target_answer *a);

struct held {
	struct target_answer answer;
	u8 cdb[16];
};

extern struct held held[HELD_MAX];
extern u32 held_count;
extern u32 lies_told;

/* About answers to @operation (0: any) and @command, @times at most (0: always). A strike when fetched. */
void lie_about(u32 operation, int command, u32 times, twist twist, const char *what);
void lie_no_more(void);
bool withhold(struct target_answer *a);
/* Sends an answer; the guest's fetch of it is a strike. NULL: no strike. */
void tell(struct target_answer *a, const char *what);
/* A completion under @id, with a payload of @size bytes that says @operation; a strike when fetched. */
void send_completion(struct host_channel *ch, u64 id, u32 operation, u32 size, const char *what);
/* The held answers leave as they are. */
void release_held(void);
/* A packet of the host on @ch, with a storage header and @size bytes of payload in all. */
struct host_packet *make_packet(struct host_channel *ch, u16 type, u64 transaction, u32 operation, u32 size);
extern u8 packet_payload[256];
/* It leaves; a strike when fetched. */
void send_packet(struct host_packet *p, const char *what);
/* In-band news. */
void send_news(struct host_channel *ch, u32 operation, u64 transaction, const char *what);

/* ---- commands ---- */

struct io {
	struct scsi_command command;
	struct kvec data;
	u8 bytes[65536];
};

/* Any command, with its first @size bytes as data; by the channel that @cpu would use. 0 or -errno. */
int io_queue(struct io *io, struct scsi_engine *engine, u32 cpu, const u8 *cdb, u32 cdb_bytes, u8 direction,
	     u32 size);

/* Blocks of LUN 0, which hold a pattern. 0 or -errno. */
int io_read(struct io *io, u32 lba, u32 blocks);
int io_write(struct io *io, u32 lba, u32 blocks, u8 fill);
/* A read whose answer is held back: its id, which is alive. */
u64 live_read(struct io *io);
/* It was not touched: the answer leaves, and it ends well. */
void live_read_goes_on(struct io *io);
/* A command has failed, with nothing in its buffer. */
bool io_failed(struct io *io);
/* A command without data, or with @size bytes to the guest. */
int io_plain(struct io *io, u8 opcode);
int io_get(struct io *io, const u8 *cdb, u32 cdb_bytes, u32 size);
bool io_wait(struct io *io);
/* It is done, with what the disk holds. */
bool io_is_good(const struct io *io, u32 lba);
/* A read of 8 blocks, all the way; for attacks on its answer. */
void io_read_once(struct io *io);
bool io_all(const struct io *io, u32 from, u32 to, u8 value);

/* The frames of the last command that the target heard, and its id. */
extern u64 last_gfns[64];
extern u32 last_gfn_count, last_range_offset, last_bytes;
extern u64 last_id;
extern u32 last_packet_at;		/* in the ring to the host */
extern u32 last_packet_size;

#endif
