// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server that QEMU's ivshmem-doorbell device connects to: it hands over the memory and the
 * eventfds of both sides, and then only listens for the end. QEMU is peer 0, so that it can be
 * saved and restored (master=on); the host is peer 1.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process.h"

#define QEMU_PEER 0
#define HOST_PEER 1
#define MEMORY -1		/* in place of a peer: the file of the memory comes along */

int socket_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 4))
		return fd;
	if (fd >= 0)
		close(fd);
	return -errno;
}

/* A number of 8 bytes, little-endian, and a file with it unless that is negative. */
static int say(int64_t number, int file)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { &number, sizeof(number) };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (file >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &file, sizeof(int));
	}
	return sendmsg(server.qemu, &m, MSG_NOSIGNAL) == sizeof(number) ? 0 : -EPIPE;
}

/* The memory comes before QEMU's own vectors: until then it has no interrupts to attach them to. */
static int shake_hands(void)
{
	uint32_t i;

	if (say(0, -1) || say(QEMU_PEER, -1) || say(MEMORY, bar_file()) || say(HOST_PEER, server.look))
		return -EPIPE;
	for (i = 0; i < server.cpus; i++) {
		if (say(QEMU_PEER, server.vectors[i]))
			return -EPIPE;
	}
	return 0;
}

static int make_events(void)
{
	uint32_t i;

	server.look = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server.look < 0)
		return -errno;
	for (i = 0; i < server.cpus; i++) {
		server.vectors[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (server.vectors[i] < 0)
			return -errno;
	}
	return 0;
}

static void close_one(int *file)
{
	if (*file >= 0)
		close(*file);
	*file = -1;
}

void ivshmem_leave(void)
{
	uint32_t i;

	close_one(&server.qemu);
	close_one(&server.look);
	for (i = 0; i < server.cpus; i++)
		close_one(&server.vectors[i]);
}

int ivshmem_accept(void)
{
	int error;

	server.qemu = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
	if (server.qemu < 0)
		return -errno;
	error = bar_create(server.pages);
	if (error) {
		ivshmem_leave();
		return error;
	}
	guest_header();
	error = make_events();
	if (!error)
		error = shake_hands();
	if (error)
		ivshmem_leave();
	else
		server.totals.qemus++;
	return error;
}

bool ivshmem_alive(void)
{
	char bytes[64];
	ssize_t n = recv(server.qemu, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void ivshmem_interrupt(uint32_t cpu)
{
	uint64_t one = 1;

	if (cpu < server.cpus && server.vectors[cpu] >= 0 &&
	    write(server.vectors[cpu], &one, sizeof(one)) < 0 && errno != EAGAIN)
		process_log("the interrupt of processor %u: %s", cpu, strerror(errno));
}

void ivshmem_doorbell(void)
{
	uint64_t count;

	if (read(server.look, &count, sizeof(count)) < 0 && errno != EAGAIN)
		process_log("the doorbell: %s", strerror(errno));
}
