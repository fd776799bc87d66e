/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest and model host in one process: the transport between them. It hands over bytes and
 * interrupts as hypercalls and a SynIC do, lets the host run when the guest waits (or in a thread of its
 * own), and in builds with AIRLOCK_FETCH_HOOK looks at every fetch of the guest.
 *
 * model.c and audit.c are the only files that know both sides.
 */
#ifndef AIRLOCK_TESTS_MODEL_H
#define AIRLOCK_TESTS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct airlock_connection;
struct host;
struct model;
struct transport;

/*
 * After shim_start() and sim_start(); allocates the SynIC pages of @cpus processors in the guest.
 * @trusted: the host is a paravisor, its pages are private. The host outlives the model.
 */
struct model *model_create(struct host *h, uint32_t cpus, bool trusted);
/* Before shim_stop() and sim_stop(). */
void model_destroy(struct model *model);
struct transport *model_transport(struct model *model);
/* Whom interrupts go to; NULL: nobody, they are lost. With shim_start(true, ...), starts the thread. */
void model_attach(struct model *model, struct airlock_connection *connection);

/*
 * The host runs at the same time as the guest, until it is stopped or the model is destroyed. Who touches the
 * host meanwhile, but by functions of host.h, holds its lock.
 */
void model_start_thread(struct model *model);
void model_stop_thread(struct model *model);

/*
 * Deterministic runs only. How often the guest has fetched a byte of a ring or of a message slot
 * again before it gave it back, or a word that it must not rely on: its own indices and
 * packets, say. The host's last_error says which.
 */
uint64_t model_double_fetches(const struct model *model);

#endif
