// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model host as a whole: what it is made of, what it notes against the guest, the ends of
 * the guest's hypercalls, and the run that works off what has come.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "shim.h"

/* Results of hypercalls. */
#define RESULT_INVALID_PARAMETER 0x05
#define RESULT_NO_CONNECTION 0x12
#define RESULT_NO_BUFFERS 0x13

#define CONTACT_OLD 1		/* connection ids of messages: before 5.0, */
#define CONTACT_NEW 4		/* and of contact from then on */
#define POST_HEAD 16

void *host_need(void *allocated)
{
	if (!allocated)
		abort();
	return allocated;
}

/* ---- life ---- */

static void make_lock(struct host *h)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&h->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

struct host *host_create(uint32_t cpus)
{
	static const uint32_t versions[] = {
		VERSION(1, 1), VERSION(2, 4), VERSION(3, 0), VERSION(4, 0), VERSION(4, 1),
		VERSION(5, 0), VERSION(5, 1), VERSION(5, 2), VERSION(5, 3), VERSION(6, 0),
	};
	struct host *h = host_need(calloc(1, sizeof(*h)));
	uint32_t i;

	make_lock(h);
	memcpy(h->versions, versions, sizeof(versions));
	h->version_count = sizeof(versions) / sizeof(versions[0]);
	h->features = FEATURE_MODIFY | FEATURE_CLIENT | FEATURE_CONFIDENTIAL | FEATURE_PAUSE;
	h->gpadl_bytes_max = 1280ull << 20;
	h->cpus = cpus;
	h->answers = true;
	h->kicks = true;
	for (i = 0; i < HOST_CHANNELS; i++) {
		h->channels[i].host = h;
		h->channels[i].relid = i;
	}
	return h;
}

void host_destroy(struct host *h)
{
	uint32_t i;

	if (h->script_end)
		h->script_end(h);
	host_gpadl_release_all(h, 0);
	for (i = 0; i < HOST_CHANNELS; i++)
		host_channel_forget(&h->channels[i]);
	free(h->queue);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* ---- the lock ---- */

void host_lock(struct host *h)
{
	pthread_mutex_lock(&h->lock);
}

void host_unlock(struct host *h)
{
	pthread_mutex_unlock(&h->lock);
}

void host_interrupt(struct host *h, uint32_t cpu, bool event)
{
	if (h->interrupt)
		h->interrupt(h->interrupt_argument, cpu, event);
}

void host_error(struct host *h, const char *format, ...)
{
	va_list list;

	host_lock(h);
	h->errors++;
	va_start(list, format);
	vsnprintf(h->last_error, sizeof(h->last_error), format, list);
	va_end(list);
	if (shim_verbose)
		fprintf(stderr, "host: %s\n", h->last_error);
	host_unlock(h);
}

void host_set_synic(struct host *h, uint32_t cpu, uint64_t slots_gfn, uint64_t flags_gfn)
{
	host_lock(h);
	h->synic[cpu] = (struct host_synic){ .slots = slots_gfn, .flags = flags_gfn, .enabled = slots_gfn != 0 };
	h->layout++;
	host_unlock(h);
}

/* ---- hypercalls of the guest ---- */

static bool knows_new_contact(const struct host *h)
{
	uint32_t i;

	for (i = 0; i < h->version_count; i++) {
		if (h->versions[i] >= VERSION(5, 0))
			return true;
	}
	return false;
}

/* Whether anyone listens at this connection id. */
static bool is_connection(const struct host *h, uint32_t id)
{
	return id == CONTACT_OLD || (id == CONTACT_NEW && knows_new_contact(h)) ||
	       (h->connection_id && id == h->connection_id);
}

/* What no host can act on, but an honest guest does not do either. */
static void look_at_post(struct host *h, const uint8_t *input, uint32_t size)
{
	if (get32(input + 4))
		host_error(h, "a post with %#x in its reserved word", get32(input + 4));
	if (any_set(input + POST_HEAD + size, HOST_MESSAGE_BYTES - size))
		host_error(h, "a post shows more than its %u bytes", size);
	if (host_leaks(input, POST_HEAD + HOST_MESSAGE_BYTES))
		host_error(h, "a post shows memory that was never written");
}

static uint64_t accept_post(struct host *h, const uint8_t *input)
{
	uint32_t id = get32(input), type = get32(input + 8), size = get32(input + 12);
	struct host_post *post;

	if (type != 1 || size > HOST_MESSAGE_BYTES) {
		host_error(h, "a post of type %#x with %u bytes", type, size);
		return RESULT_INVALID_PARAMETER;
	}
	look_at_post(h, input, size);
	if (!is_connection(h, id))
		return RESULT_NO_CONNECTION;
	if (h->inbox_count == HOST_INBOX)
		return RESULT_NO_BUFFERS;
	post = &h->inbox[(h->inbox_first + h->inbox_count++) % HOST_INBOX];
	memcpy(post->bytes, input + POST_HEAD, HOST_MESSAGE_BYTES);
	post->size = size;
	post->connection_id = id;
	return 0;
}

typedef uint64_t (*result_hook)(struct host *h, void *argument, const uint8_t *input, bool *deliver);

static uint64_t ask_hook(struct host *h, result_hook hook, void *argument, const uint8_t *input, bool *deliver)
{
	return hook && *deliver ? hook(h, argument, input, deliver) : 0;
}

uint64_t host_hear_post(struct host *h, const uint8_t *input)
{
	uint64_t result, scripted, real = 0;
	bool deliver = true;

	host_lock(h);
	result = ask_hook(h, h->hooks.post_result, h->hooks.argument, input, &deliver);
	scripted = ask_hook(h, h->script_hooks.post_result, h->script_hooks.argument, input, &deliver);
	if (deliver)
		real = accept_post(h, input);
	host_unlock(h);
	return result ? result : scripted ? scripted : real;
}

static struct host_channel *channel_of_signal(struct host *h, uint32_t connection_id)
{
	uint32_t i;

	for (i = 1; i < h->top; i++) {
		if (h->channels[i].state == HOST_OPENED && h->channels[i].connection_id == connection_id)
			return &h->channels[i];
	}
	return NULL;
}

static uint64_t accept_signal(struct host *h, const uint8_t *input)
{
	struct host_channel *ch = channel_of_signal(h, get32(input));

	if (get16(input + 4) || get16(input + 6))
		host_error(h, "a signal of flag %u, with %#x behind it", get16(input + 4), get16(input + 6));
	if (!ch)
		return RESULT_NO_CONNECTION;
	host_ring_heard(ch);
	return 0;
}

uint64_t host_hear_signal(struct host *h, const uint8_t *input)
{
	uint64_t result, scripted, real = 0;
	bool deliver = true;

	host_lock(h);
	result = ask_hook(h, h->hooks.signal_result, h->hooks.argument, input, &deliver);
	scripted = ask_hook(h, h->script_hooks.signal_result, h->script_hooks.argument, input, &deliver);
	if (deliver)
		real = accept_signal(h, input);
	host_unlock(h);
	return result ? result : scripted ? scripted : real;
}

/* ---- the run ---- */

/* The port a message has to come by; contact is made at the well-known ones. */
static void look_at_connection(struct host *h, const struct host_post *post)
{
	uint32_t wanted = h->connection_id ? h->connection_id : CONTACT_OLD;

	if (post->size >= 12 && get32(post->bytes) == HOST_INITIATE_CONTACT)
		wanted = get32(post->bytes + 8) >= VERSION(5, 0) ? CONTACT_NEW : CONTACT_OLD;
	if (post->connection_id != wanted)
		host_error(h, "message %u by connection %#x, not %#x", get32(post->bytes), post->connection_id, wanted);
}

static bool asks_hooks(struct host *h, const struct host_post *post)
{
	if (h->hooks.incoming && !h->hooks.incoming(h, h->hooks.argument, post->bytes, post->size))
		return false;
	return !h->script_hooks.incoming ||
	       h->script_hooks.incoming(h, h->script_hooks.argument, post->bytes, post->size);
}

static bool hear_posts(struct host *h)
{
	struct host_post post;
	bool any = false;

	while (h->inbox_count) {
		post = h->inbox[h->inbox_first];
		h->inbox_first = (h->inbox_first + 1) % HOST_INBOX;
		h->inbox_count--;
		h->messages_in++;
		any = true;
		if (!asks_hooks(h, &post))
			continue;
		look_at_connection(h, &post);
		host_server_receive(h, post.bytes, post.size);
	}
	return any;
}

/* Signals left in the monitor page, a bit each, instead of hypercalls. */
static void hear_monitors(struct host *h)
{
	uint32_t group, i, bits[4];

	if (!h->monitor_pages[1] || !host_page_visible(h->trusted, h->monitor_pages[1]))
		return;
	for (group = 0; group < 4; group++)
		bits[group] = __atomic_exchange_n((uint32_t *)host_page(h->trusted, h->monitor_pages[1],
									  8 + 8 * group, 4), 0, __ATOMIC_ACQ_REL);
	for (i = 1; i < h->top; i++) {
		struct host_channel *ch = &h->channels[i];

		if (ch->state == HOST_OPENED && ch->monitor_id < 128 &&
		    bits[ch->monitor_id / 32] >> ch->monitor_id % 32 & 1)
			host_ring_heard(ch);
	}
}

static bool kick(struct host_channel *ch)
{
	if (!ch->kick_at || ch->kick_at > shim_now())
		return false;
	ch->kick_at = 0;
	host_signal(ch);
	return true;
}

static bool serve_channels(struct host *h)
{
	bool any = false;
	uint32_t i;

	for (i = 1; i < h->top; i++) {
		struct host_channel *ch = &h->channels[i];

		if (ch->state != HOST_OPENED)
			continue;
		if (!h->threads)
			host_ring_look_for_missed(ch);
		any |= kick(ch);
		any |= host_ring_service(ch);
	}
	return any;
}

static bool run_hooks(struct host *h)
{
	bool any = false;

	if (h->hooks.running)
		any |= h->hooks.running(h, h->hooks.argument);
	if (h->script_hooks.running)
		any |= h->script_hooks.running(h, h->script_hooks.argument);
	return any;
}

bool host_run(struct host *h)
{
	bool any;

	host_lock(h);
	any = run_hooks(h);
	any |= hear_posts(h);
	hear_monitors(h);
	any |= serve_channels(h);
	any |= host_slots_deliver(h);
	host_unlock(h);
	return any;
}

static uint64_t next_of_hook(struct host *h, const struct host_hooks *hooks)
{
	return hooks->next ? hooks->next(h, hooks->argument) : UINT64_MAX;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t host_next(struct host *h)
{
	uint64_t next;
	uint32_t i;

	host_lock(h);
	next = sooner(host_slots_next(h), next_of_hook(h, &h->hooks));
	next = sooner(next, next_of_hook(h, &h->script_hooks));
	for (i = 1; i < h->top; i++) {
		if (h->channels[i].state == HOST_OPENED && h->channels[i].kick_at)
			next = sooner(next, h->channels[i].kick_at);
	}
	host_unlock(h);
	return next;
}
