/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attack of the catalogue as a test: the host strikes, the guest must hold. Each runs in
 * a process of its own, under sanitizers, in virtual time.
 *
 * Contained means: the act was seen to reach the guest (strike()), the rule that should fire
 * did (expect_rule(), or other evidence() for acts that break no rule), nothing bad happened, the
 * stack still works or has put the channel away, and all can be torn down without a leak.
 */
#ifndef AIRLOCK_TESTS_ATTACK_H
#define AIRLOCK_TESTS_ATTACK_H

#include "airlock.h"
#include "host.h"
#include "scsi.h"
#include "target.h"

struct attack {
	const char *id;			/* C-101 */
	const char *act;		/* what the host does, in a line */
	void (*run)(void);
	const char *not_applicable;	/* the reason; then run is NULL */
	bool racing;			/* in threads, under TSan; else in virtual time */
};

/*
 * In a section of their own, so that a file adds attacks by existing. A racing attack comes in addition to
 * one in virtual time, with the same id.
 */
#define ATTACK(name, id, act)                                                                  \
	static void name(void);                                                                \
	static const struct attack name##_entry = { id, act, name, NULL, false };              \
	static const struct attack *const name##_listed                                        \
		__attribute__((used, section("attacks"))) = &name##_entry;                     \
	static void name(void)
#define RACING_ATTACK(name, id, act)                                                           \
	static void name(void);                                                                \
	static const struct attack name##_entry = { id, act, name, NULL, true };               \
	static const struct attack *const name##_listed                                        \
		__attribute__((used, section("attacks"))) = &name##_entry;                     \
	static void name(void)
#define NOT_APPLICABLE(name, id, act, reason)                                                  \
	static const struct attack name##_entry = { id, act, NULL, reason, false };            \
	static const struct attack *const name##_listed                                        \
		__attribute__((used, section("attacks"))) = &name##_entry

/*
 * How the plain driver is used by a scene in threads: by requests of its own, whose answers come here (NULL: the
 * channel was closed); with a config of its own, if any.
 */
struct scene_racing {
	void (*answered)(void *owner, const struct ring_completion *m);
	void (*heard)(struct airlock_channel *channel, const struct ring_message *m);	/* this and more may be NULL */
	void (*dead)(struct airlock_channel *channel);
	const struct airlock_channel_config *config;
};

/*
 * A guest and a host. "echo" is a plain test device: whatever in-band request arrives with a
 * completion wanted is completed with the same payload. "disk" is a SCSI controller with two LUNs.
 */
struct scene {
	struct host *host;
	struct airlock_connection connection;
	struct airlock_policy policy;
	struct host_device echo;
	struct target target;
	struct host_channel *echo_channel, *disk_channel;	/* the host's ends */
	/* the guest's ends, once probed */
	struct airlock_device *echo_device, *disk_device;
	struct scsi_engine engine;
	bool engine_started;
	uint64_t received, completed, failed;	/* by the echo driver: packets, own requests, unsent answers */
	uint64_t host_completions;		/* of the echo driver, as heard by the host */
	uint64_t echo_id;			/* of its last request */
	unsigned int probes, removes, echo_dead, rescans, disk_failed;
	int probe_result, disk_result;
	/* Sub-channels of the echo device: opened, if wanted, as they come. */
	bool open_subchannels;
	unsigned int subchannels;
	struct airlock_channel *subchannel;	/* the last one */
	int subchannel_result;
	/* The echo driver takes what comes for pipe messages. */
	bool pipe;
	uint64_t pipe_messages, pipe_bytes;
	int echo_resumed;
	bool may_panic;				/* the policy says so */
	const struct scene_racing *racing;	/* NULL: in virtual time */
	bool initialized;
	unsigned int what;
	struct transport *transport;
};

extern struct scene *scene;

enum { SCENE_ECHO = 1, SCENE_DISK = 2, SCENE_PLAIN = 4 /* an ordinary guest */, SCENE_CONFIDENTIAL = 8 };

/* Set up everything but contact; change scene->policy, ->host, ->target now. */
void scene_prepare(unsigned int what);
/* Contact, offers, probes. Fails the attack unless everything came up. */
void scene_start(unsigned int what);
/* Contact after scene_prepare(): what airlock_connect() said. */
int scene_connect(void);
/* Lets guest and host run until nothing is left to do, or @ms of virtual time have passed. */
void scene_run(unsigned int ms);
/* The latter of scene_start(), after scene_connect(). */
void scene_check(void);

/*
 * In threads: devices come and go while they are used, so whoever uses scene->echo_device or the engine has
 * entered; a channel may also be held, and be closed under its holder, who puts it. NULL: there is none now.
 */
void scene_enter(void);
void scene_enter_alone(void);		/* to make them come and go */
void scene_leave(void);
struct airlock_channel *scene_hold_echo(void);
bool scene_up(void);			/* all devices are there, or come within long */
int scene_echo_open(void);		/* by who has entered alone */
void scene_echo_close(void);

/* Ordinary work, checked byte for byte: an echo, a write and read of the disk. */
void scene_works(void);
bool scene_echo(void);			/* one round trip; false if it failed */
bool scene_disk(void);			/* a write and a read back */
int scene_echo_send(void);		/* one request, not waited for; 0 or -errno */
/* A SCSI command: queued; waited for; both. True when it is done. Zero it before. */
int scene_command(struct scsi_command *command, const u8 *cdb, u32 cdb_bytes, u8 direction, struct kvec *data);
bool scene_wait(struct scsi_command *command, unsigned int ms);
bool scene_execute(struct scsi_command *command, const u8 *cdb, u32 cdb_bytes, u8 direction, struct kvec *data);
const struct airlock_channel_config *scene_config(void);	/* of the plain driver's channels */
/* Hibernation of the plain device: closed, and the connection unloaded; contact, offers, opened again. */
void scene_suspend(void);
int scene_resume(void);			/* echo_resumed: 1 opened, -1 failed */
/* The channel is put away: dead, and said so to its driver. */
void scene_quarantined(struct airlock_channel *channel);
/* Unloads and tears down; afterwards nothing may be allocated, shared, leaked (but @leaks pages), waiting. */
void scene_end(unsigned int leaks);

/* The act was fetched, heard or waited for by the guest: without one of these the attack fails. */
void strike(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Strikes of this scene, so far. */
unsigned int scene_strikes(void);
/* Marks host memory as hostile; strike() is then called when the guest fetches it. */
void strike_on_fetch(const void *at, uint32_t size, const char *what);

/* The rule with this name has fired since the last look (on any channel or the connection). */
void expect_rule(const char *name);
uint32_t rule_fired(const char *name);
void evidence(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define expect(condition) expect_that(condition, #condition, __FILE__, __LINE__)
void expect_that(bool condition, const char *text, const char *file, int line);

#endif
