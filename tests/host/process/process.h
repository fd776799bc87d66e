/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model host as a process of its own: what its files know of each other. All of the guest
 * that it can see is one piece of shared memory, the BAR of core/transport/testbed_abi.h.
 */
#ifndef AIRLOCK_HOST_PROCESS_H
#define AIRLOCK_HOST_PROCESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "target.h"
#include "transport/testbed_abi.h"

#define CONTROLLERS_MAX 4
#define FILES_MAX 16
#define PAGE 4096u
#define EXIT_BAD_PAGE 3		/* the honest host was led to a page that the guest does not show */

/* A controller: plugged in is what guests are offered. */
struct controller {
	struct target target;
	char name[8];
	bool plugged;
};

/* A file opened while we still might, for disks that come later. */
struct spare_file {
	const char *path;
	int file;
};

/* What happened, over all guests. */
struct totals {
	uint64_t qemus, guests, messages_in, messages_out, packets_in, packets_out;
	uint64_t guest_errors, acts, skipped, mutations;
	char last_error[160];
};

struct server {
	/* As options say. */
	uint32_t pages, cpus;
	bool verbose, once;
	const char *report_path;
	struct controller controllers[CONTROLLERS_MAX];
	uint32_t controller_count;
	struct spare_file files[FILES_MAX];
	uint32_t file_count;

	/* ivshmem.c */
	int listener, qemu, look;		/* look: eventfd of the guest's doorbell */
	int vectors[TESTBED_CPUS_MAX];		/* of processors */

	/* guest.c */
	struct host *host;			/* NULL: no guest is READY */
	bool hostile;				/* a script or the mutator has been at this guest */
	uint32_t incarnation, guest_cpus, synic[TESTBED_CPUS_MAX][2];
	uint32_t post_head;
	char *script, script_name[64];		/* NULL: none */
	bool script_stays;			/* for each guest anew, since it was there before a guest was */
	struct totals totals;

	/* control.c */
	int control;
	bool quit;
};

/* Held by the main thread but while it waits, and by the mutator for each flip. */
extern pthread_mutex_t process_lock;

/* Prints, with the time, if it is wanted. */
void process_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void process_report(void);
/* Commands that disks had, of all controllers. */
uint64_t process_commands(void);
extern struct server server;

/* ---- bar.c ---- */

/* New memory, cleared; an earlier one is given up. 0 or -errno. */
int bar_create(uint32_t pages);
int bar_file(void);
uint32_t bar_load(uint32_t offset);
void bar_store(uint32_t offset, uint32_t value);
uint32_t bar_take(uint32_t offset);			/* what is there; then it is 0 */
void bar_copy(void *to, uint32_t offset, uint32_t bytes);
void bar_write(uint32_t offset, const void *from, uint32_t bytes);
/* How often @bytes stand in all of it; where first. */
uint64_t bar_find(const uint8_t *bytes, size_t size, uint64_t *first);
/* May not return: the host wants a page that the guest does not show. */
extern void (*bar_refused)(uint64_t page);

/* ---- ivshmem.c ---- */

/* A listening socket, or -errno. */
int socket_listen(const char *path);
int ivshmem_accept(void);			/* 0 or -errno */
/* Something came on QEMU's socket. false: it is gone. */
bool ivshmem_alive(void);
void ivshmem_leave(void);
void ivshmem_interrupt(uint32_t cpu);
/* Takes all the doorbell has. */
void ivshmem_doorbell(void);

/* ---- guest.c ---- */

void guest_header(void);			/* writes what is the host's of page 0, unless it stands there */
/* Looks at all the guest may have left. */
void guest_look(void);
/* Runs the host; true: there is more to do at once. */
bool guest_run(void);
/* ms until there will be something to do; -1: never. */
int guest_timeout(void);
void guest_end(const char *why);
/* NULL: no script. 0, or -1 and why not, a line. */
int guest_script(const char *text, const char *name, char *why, size_t room);
uint64_t guest_acts(void);
/* Frames of data lately named by packets of the guest; 0: none. */
uint64_t guest_data_page(uint32_t random);

/* ---- control.c ---- */

#define CONTROL_CLIENTS 4
struct pollfd;
/* Fills in who is waited for, at most CONTROL_CLIENTS + 1; how many. */
uint32_t control_poll(struct pollfd *polls);
void control_serve(const struct pollfd *polls, uint32_t count);
int disk_add(struct controller *c, unsigned int lun, const char *path, bool read_only, char *why, size_t room);

/* ---- mutate.c ---- */

enum mutation { MUTATE_INDICES = 1, MUTATE_PACKETS = 2, MUTATE_DATA = 4, MUTATE_ALL = 7 };
/* With process_lock. @what: of enum mutation; 0 stops. @seconds 0: until stopped. */
void mutate(uint32_t what, uint32_t seconds);

/* ---- catalogue.c ---- */

struct catalogue_attack {
	const char *name;		/* of the catalogues; a letter behind it where there is more than one */
	const char *act;		/* what the host does, in a line */
	const char *script;
};

const struct catalogue_attack *catalogue_find(const char *name);
/* The @i-th; NULL: there are not that many. */
const struct catalogue_attack *catalogue_at(uint32_t i);

#endif
