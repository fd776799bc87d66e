/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sanitizers are to be told: memory that nobody may touch, and stacks that change. Without
 * them it is nothing.
 */
#ifndef AIRLOCK_SHIM_SANITIZE_H
#define AIRLOCK_SHIM_SANITIZE_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#endif

/* Between these a thread's accesses are not looked at: races that are meant. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define RACES_MEANT_BEGIN() do {					\
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);			\
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);			\
} while (0)
#define RACES_MEANT_END() do {						\
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);			\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);			\
} while (0)
#else
#define RACES_MEANT_BEGIN() ((void)0)
#define RACES_MEANT_END() ((void)0)
#define __tsan_get_current_fiber() NULL
#define __tsan_create_fiber(flags) NULL
#define __tsan_switch_to_fiber(fiber, flags) ((void)(fiber))
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#endif

/* A function that sanitizers do not look into. */
#if defined(__clang__)
#define UNSEEN                                                                                \
	__attribute__((disable_sanitizer_instrumentation, no_sanitize("address", "undefined"), __noinline__))
#else
#define UNSEEN __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined, __noinline__))
#endif

#endif
