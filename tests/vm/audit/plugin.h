/* SPDX-License-Identifier: GPL-2.0-only */
/* What fetches.c uses of QEMU's interface for TCG plugins, version 4 (QEMU 10.0). */
#ifndef AIRLOCK_PLUGIN_H
#define AIRLOCK_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_VERSION 4
#define PLUGIN_EXPORT __attribute__((visibility("default")))

enum plugin_registers { PLUGIN_NO_REGISTERS };
enum plugin_accesses { PLUGIN_LOADS = 1, PLUGIN_STORES = 2, PLUGIN_BOTH = 3 };
enum plugin_width { PLUGIN_U8, PLUGIN_U16, PLUGIN_U32, PLUGIN_U64, PLUGIN_U128 };

struct plugin_value {
	enum plugin_width width;
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		struct { uint64_t low, high; } u128;
	} data;
};

typedef void (*plugin_translated)(uint64_t id, void *tb);
typedef void (*plugin_accessed)(unsigned int cpu, uint32_t info, uint64_t vaddr, void *data);
typedef void (*plugin_ended)(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, plugin_translated f);
void qemu_plugin_register_atexit_cb(uint64_t id, plugin_ended f, void *data);
void qemu_plugin_register_vcpu_mem_cb(void *insn, plugin_accessed f, enum plugin_registers registers,
				      enum plugin_accesses which, void *data);
size_t qemu_plugin_tb_n_insns(const void *tb);
void *qemu_plugin_tb_get_insn(const void *tb, size_t at);
uint64_t qemu_plugin_insn_vaddr(const void *insn);
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
struct plugin_value qemu_plugin_mem_get_value(uint32_t info);
void *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const void *address);

#endif
