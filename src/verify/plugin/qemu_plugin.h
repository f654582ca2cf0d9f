/*
 * What is used of qemu's plugin interface, after its documentation (docs/devel/tcg-plugins): distributions ship no
 * qemu-plugin.h. TH_PLUGIN_API is 1 before qemu 9.0, and 2 from there on.
 */
#ifndef TH_QEMU_PLUGIN_H
#define TH_QEMU_PLUGIN_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translation_callback)(plugin_id id, struct qemu_plugin_tb *block);
typedef void (*execution_callback)(unsigned int core, void *data);

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translation_callback callback);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, execution_callback callback,
                                                   int flags, void *data);

enum { INLINE_ADD_U64 = 0, CALLBACK_NO_REGISTERS = 0 };

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
int qemu_plugin_version = TH_PLUGIN_API;

#endif
