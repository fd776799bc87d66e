// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes a module of the sources that check.sh lays out. It is built and never loaded.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("Airlock's sources as a kernel module");
MODULE_LICENSE("GPL");
