// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races of a controller: answers twice, late, and in the middle of its end.
 */
#include "racing.h"

#define HELD 64

/* All under the host's lock. */
static struct target_answer held[HELD];
static unsigned int held_count;
static uint64_t repeated, delayed;

static bool is_command(const struct target_answer *a)
{
	return a->cdb != NULL;
}

static void keep(const struct target_answer *a)
{
	struct target_answer *to = &held[held_count++ % HELD];

	*to = *a;
	to->cdb = NULL;		/* its bytes are the caller's; the payload is filled in already, but for these: */
	to->payload[12 + 2] = a->srb_status;
	to->payload[12 + 3] = a->scsi_status;
	to->payload[12 + 12] = (uint8_t)a->transferred;
	to->payload[12 + 13] = (uint8_t)(a->transferred >> 8);
}

/* ---- twice ---- */

static bool answer_and_keep(struct target *t, void *argument, struct target_answer *a)
{
	(void)argument;
	if (!is_command(a))
		return true;
	keep(a);
	if (held_count % 2) {
		target_send(t, a);	/* and once more by the caller */
		repeated++;
	}
	return true;
}

/* What was answered long ago, or right now, on whatever channel. */
static void answer_again(struct racer *r)
{
	struct target_answer *a;

	host_lock(scene->host);
	if (held_count) {
		a = &held[race_random(r, held_count < HELD ? held_count : HELD)];
		if (a->channel->state == HOST_OPENED)
			target_send(&scene->target, a);
	}
	host_unlock(scene->host);
	usleep(race_random(r, 200));
}

static void strip_hooks(void)
{
	host_lock(scene->host);
	scene->target.answer = NULL;
	scene->target.command = NULL;
	held_count = 0;
	host_unlock(scene->host);
}

RACING_ATTACK(answers_twice, "ST-057", "every other answer twice, old ones again, from two threads on three channels")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.strikes = 0;
	scene->target.multi_channel = true;
	scene->target.max_subchannels = 3;
	race_connect();
	expect(scsi_grow(&scene->engine, 2) == 2);
	host_lock(scene->host);
	scene->target.answer = answer_and_keep;
	host_unlock(scene->host);
	race_guests(guest_reads_and_writes, 4);
	race_hosts(answer_again, 2);
	race("answers again");
	strip_hooks();
	expect(repeated && race_good(guest_reads_and_writes));
	expect_rule("core.completion.stale");
	race_end();
}

/* ---- late ---- */

static bool answer_later(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (!is_command(a) || held_count == HELD)
		return true;
	keep(a);
	delayed++;
	return false;
}

/* About when the guest gives up. */
static void answer_at_last(struct racer *r)
{
	usleep(500 + race_random(r, 3000));
	host_lock(scene->host);
	while (held_count) {
		held_count--;
		if (held[held_count].channel->state == HOST_OPENED)
			target_send(&scene->target, &held[held_count]);
	}
	host_unlock(scene->host);
}

RACING_ATTACK(answers_late, "ST-065", "answers come about when the guest gives up")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	host_lock(scene->host);
	scene->target.answer = answer_later;
	host_unlock(scene->host);
	race_command_patience = 2;
	race_guests(guest_reads_and_writes, 4);
	race_hosts(answer_at_last, 2);
	race("late answers");
	host_lock(scene->host);
	scene->target.answer = NULL;
	while (held_count && held_count--)
		target_send(&scene->target, &held[held_count]);
	host_unlock(scene->host);
	expect(race_given_up() && race_good(guest_reads_and_writes));
	evidence("%llu given up, %llu done in time", (unsigned long long)race_given_up(),
		 (unsigned long long)race_good(guest_reads_and_writes));
	race_end();
}

/* ---- the end ---- */

static bool answer_or_not(struct target *t, void *argument, struct target_answer *a)
{
	(void)argument;
	if (!is_command(a))
		return true;
	keep(a);
	if (held_count % 3 == 0)
		target_send(t, a);
	return held_count % 3;
}

RACING_ATTACK(end_of_controller, "ST-108", "answers missing and repeated while the device comes and goes with commands out")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.drain_deadline = 20;
	scene->policy.strikes = 0;
	scene->target.answer = answer_or_not;
	race_connect();
	race_command_patience = 40;
	race_guests(guest_reads_and_writes, 4);
	race_hosts(answer_again, 1);
	race_hosts(host_rescinds_disk, 1);
	race_removes = 5;
	race("the controller comes and goes");
	strip_hooks();
	expect(race_good(guest_reads_and_writes));
	evidence("devices went %u times", READ_ONCE(scene->removes));
	race_end();
}
