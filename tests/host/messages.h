/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the channel messages as the host writes them, and their names for scripts.
 * Written once more on purpose: the guest's come from its specification.
 */
#ifndef AIRLOCK_TESTS_HOST_MESSAGES_H
#define AIRLOCK_TESTS_HOST_MESSAGES_H

#include <stdint.h>

/* X(number, NAME, name, bytes an honest one has at least) */
#define HOST_MESSAGES(X)                                                  \
	X(1, OFFER, offer, 196)                                           \
	X(2, RESCIND, rescind, 12)                                        \
	X(3, REQUEST_OFFERS, request_offers, 8)                           \
	X(4, ALL_OFFERS, all_offers, 8)                                   \
	X(5, OPEN, open, 148)                                             \
	X(6, OPEN_RESULT, open_result, 20)                                \
	X(7, CLOSE, close, 12)                                            \
	X(8, GPADL_HEADER, gpadl_header, 28)                              \
	X(9, GPADL_BODY, gpadl_body, 24)                                  \
	X(10, GPADL_CREATED, gpadl_created, 20)                           \
	X(11, GPADL_TEARDOWN, gpadl_teardown, 16)                         \
	X(12, GPADL_TORNDOWN, gpadl_torndown, 12)                         \
	X(13, RELID_RELEASED, relid_released, 12)                         \
	X(14, INITIATE_CONTACT, initiate_contact, 40)                     \
	X(15, VERSION_RESPONSE, version_response, 16)                     \
	X(16, UNLOAD, unload, 8)                                          \
	X(17, UNLOAD_RESPONSE, unload_response, 8)                        \
	X(18, OPEN_RESERVED, open_reserved, 28)                           \
	X(19, CLOSE_RESERVED, close_reserved, 20)                         \
	X(20, CLOSE_RESERVED_RESPONSE, close_reserved_response, 12)       \
	X(21, TL_CONNECT, tl_connect, 40)                                 \
	X(22, MODIFY_CHANNEL, modify_channel, 16)                         \
	X(23, TL_CONNECT_RESULT, tl_connect_result, 44)                   \
	X(24, MODIFY_RESPONSE, modify_response, 16)                       \
	X(25, MODIFY_CONNECTION, modify_connection, 24)                   \
	X(26, MODIFY_CONNECTION_RESPONSE, modify_connection_response, 9)  \
	X(27, PAUSE, pause, 8)                                            \
	X(28, PAUSE_RESPONSE, pause_response, 8)                          \
	X(29, RESUME, resume, 8)

enum host_message_type {
#define X(number, NAME, name, bytes) HOST_##NAME = number,
	HOST_MESSAGES(X)
#undef X
	HOST_MESSAGE_TYPES
};

/* NULL: there is none of this number. */
const char *host_message_name(uint32_t type);
/* 0: there is none of this name. */
uint32_t host_message_type(const char *name);
/* Bytes of the shortest honest message; 0: there is none of this number. */
uint32_t host_message_least(uint32_t type);

#define VERSION(major, minor) ((uint32_t)(major) << 16 | (minor))

enum host_feature {
	FEATURE_GUEST_SIGNALS = 1, FEATURE_REDIRECT = 2, FEATURE_MODIFY = 4, FEATURE_CLIENT = 8,
	FEATURE_CONFIDENTIAL = 0x10, FEATURE_PAUSE = 0x20, FEATURE_MONITORS = 0x40, FEATURE_PINNING = 0x80,
};

enum host_offer_flag { FLAG_PRIVATE_RING = 2, FLAG_PRIVATE_MEMORY = 4, FLAG_MONITORED = 0x400 };

#define STATUS_UNSUCCESSFUL 0x8000ffff
#define STATUS_REFUSED 0xc0000236

#endif
