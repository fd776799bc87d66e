/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of the kernel's log: counted, and on standard error if a test wants them. */
#ifndef AIRLOCK_SHIM_PRINTK_H
#define AIRLOCK_SHIM_PRINTK_H

#include <linux/ratelimit.h>

#define KERN_ERR "\001" "3"
#define KERN_WARNING "\001" "4"
#define KERN_NOTICE "\001" "5"
#define KERN_INFO "\001" "6"
#define KERN_DEBUG "\001" "7"
#define KERN_CONT ""

#ifndef pr_fmt
#define pr_fmt(text) text
#endif

int printk(const char *format, ...);

#define pr_err(text, ...) printk(KERN_ERR pr_fmt(text), ##__VA_ARGS__)
#define pr_warn(text, ...) printk(KERN_WARNING pr_fmt(text), ##__VA_ARGS__)
#define pr_notice(text, ...) printk(KERN_NOTICE pr_fmt(text), ##__VA_ARGS__)
#define pr_info(text, ...) printk(KERN_INFO pr_fmt(text), ##__VA_ARGS__)
#define pr_debug(text, ...) do { if (0) printk(KERN_DEBUG pr_fmt(text), ##__VA_ARGS__); } while (0)

#define printk_ratelimited(text, ...) do {                                                    \
	static DEFINE_RATELIMIT_STATE(shim_limit, DEFAULT_RATELIMIT_INTERVAL,                 \
				      DEFAULT_RATELIMIT_BURST);                               \
	if (__ratelimit(&shim_limit))                                                         \
		printk(text, ##__VA_ARGS__);                                                  \
} while (0)
#define pr_err_ratelimited(text, ...) printk_ratelimited(KERN_ERR pr_fmt(text), ##__VA_ARGS__)
#define pr_warn_ratelimited(text, ...) printk_ratelimited(KERN_WARNING pr_fmt(text), ##__VA_ARGS__)
#define pr_notice_ratelimited(text, ...) printk_ratelimited(KERN_NOTICE pr_fmt(text), ##__VA_ARGS__)
#define pr_info_ratelimited(text, ...) printk_ratelimited(KERN_INFO pr_fmt(text), ##__VA_ARGS__)

#endif
