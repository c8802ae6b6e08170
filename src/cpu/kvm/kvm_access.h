/* SPDX-License-Identifier: BSD-3-Clause */
/* Serving the accesses that KVM hands over: rows of kvm_exit.c. */
#ifndef CPU_KVM_KVM_ACCESS_H
#define CPU_KVM_KVM_ACCESS_H

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_cpu;

void kvm_serve_port(struct kvm_cpu *cpu); /* IN, OUT, INS, OUTS */
void kvm_serve_mmio(struct kvm_cpu *cpu);
void kvm_serve_rdmsr(struct kvm_cpu *cpu);
void kvm_serve_wrmsr(struct kvm_cpu *cpu);
void kvm_serve_halt(struct kvm_cpu *cpu);
/** kvm_serve_gathered() - coalesced writes, before anything later is served. */
void kvm_serve_gathered(struct kvm_cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif
