/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_access.h"

#include <string>

#include "kvm_tree.hh"

extern "C" {
extern const struct sim_type uart8250_type;
}

namespace
{

constexpr uint64_t MMIO = 0xd0000000;
constexpr uint16_t UART = 0x3f8, SCRATCH = UART + 7;

/* Ports that remember a byte, and memory that is a device's. */
class KvmAccess : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        cpu = add_cpu();
        sim_object *uart = add(uart8250_type, system, "uart");
        set(uart, "pio_addr", PIO_PORT_BASE | UART);
        bind(bus, "mem_side_ports", uart, "pio");
        uart = add(uart8250_type, system, "mapped_uart");
        set(uart, "pio_addr", MMIO);
        bind(bus, "mem_side_ports", uart, "pio");
    }
    static Step port(uint8_t direction, uint16_t number, uint8_t *data,
                     uint32_t count = 1, uint8_t size = 1)
    {
        return [=](kvm_run *page) {
            page->exit_reason = KVM_EXIT_IO;
            page->io.direction = direction;
            page->io.port = number;
            page->io.size = size;
            page->io.count = count;
            page->io.data_offset = 4096;
            memcpy(reinterpret_cast<uint8_t *>(page) + 4096, data,
                   count * size);
            return 0;
        };
    }
    static Step memory(uint64_t addr, uint32_t len, bool is_write,
                       uint64_t value = 0)
    {
        return [=](kvm_run *page) {
            page->exit_reason = KVM_EXIT_MMIO;
            page->mmio.phys_addr = addr;
            page->mmio.len = len;
            page->mmio.is_write = is_write;
            memcpy(page->mmio.data, &value, sizeof(value));
            return 0;
        };
    }
    static Step msr(uint32_t reason, uint32_t index, uint64_t value = 0)
    {
        return [=](kvm_run *page) {
            page->exit_reason = reason;
            page->msr.index = index;
            page->msr.data = value;
            page->msr.error = 7;
            return 0;
        };
    }
    /* Looks at the answer at the next entry. */
    static Step look(std::function<void(kvm_run *)> check)
    {
        return [check](kvm_run *page) {
            check(page);
            page->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
            return 0;
        };
    }
    struct kvm_cpu *cpu = nullptr;
};

TEST_F(KvmAccess, PortsAreWrittenAndRead)
{
    uint8_t out[] = {0x5a}, in[] = {0};
    play({port(KVM_EXIT_IO_OUT, SCRATCH, out),
          port(KVM_EXIT_IO_IN, SCRATCH, in), look([](kvm_run *page) {
              EXPECT_EQ(reinterpret_cast<uint8_t *>(page)[4096], 0x5a);
          })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_io, 2u);
    EXPECT_EQ(half_entries, 2) << "each access is completed at once";
    EXPECT_EQ(cpu->num_half_entries, 2u);
}

TEST_F(KvmAccess, AStringInstructionIsManyAccesses)
{
    uint8_t out[] = {1, 2, 3};
    toy_responder *device = add_device("ports", PIO_PORT_BASE | 0x100, 8);
    play({port(KVM_EXIT_IO_OUT, 0x100, out, 3)});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(device->num_asked, 3u);
    EXPECT_EQ(cpu->num_io, 1u);
}

/* KVM comes back with the rest of it instead of EINTR. */
TEST_F(KvmAccess, AnExitInsteadOfTheCompletionIsServed)
{
    uint8_t out[] = {1};
    toy_responder *device = add_device("ports", PIO_PORT_BASE | 0x100, 8);
    play({port(KVM_EXIT_IO_OUT, 0x100, out)});
    int again = 2;
    on_completion = [&](kvm_run *page) {
        return again-- ? port(KVM_EXIT_IO_OUT, 0x100, out)(page) : -EINTR;
    };
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(device->num_asked, 3u);
    EXPECT_EQ(cpu->num_half_entries, 3u);
}

TEST_F(KvmAccess, ACompletionThatFailsEndsTheRun)
{
    uint8_t out[] = {1};
    play({port(KVM_EXIT_IO_OUT, SCRATCH, out)});
    on_completion = [](kvm_run *) { return -EIO; };
    start();
    EXPECT_EQ(run(), "KVM does not give its state 1");
}

TEST_F(KvmAccess, AddressesOutsideRamAreDevices)
{
    play({memory(MMIO + 7, 1, true, 0x5a), memory(MMIO + 7, 1, false),
          look([](kvm_run *page) { EXPECT_EQ(page->mmio.data[0], 0x5a); })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_mmio, 2u);
    EXPECT_EQ(half_entries, 2);
}

TEST_F(KvmAccess, NobodyAtAnAddressIsAllOnes)
{
    play({memory(MMIO + 0x100000, 8, false), look([](kvm_run *page) {
              uint64_t value = 0;
              memcpy(&value, page->mmio.data, sizeof(value));
              EXPECT_EQ(value, UINT64_MAX);
          }),
          memory(MMIO + 0x100000, 4, false), look([](kvm_run *page) {
              uint64_t value = 0;
              memcpy(&value, page->mmio.data, sizeof(value));
              EXPECT_EQ(value, UINT32_MAX);
          })});
    start();
    EXPECT_EQ(run(), NOTHING);
}

TEST_F(KvmAccess, GatheredWritesComeFirstWhereTheyAreAskedFor)
{
    cpu->use_coalesced_mmio = true;
    play({[](kvm_run *page) {
              auto *ring = reinterpret_cast<kvm_coalesced_mmio_ring *>(
                  reinterpret_cast<uint8_t *>(page) + 8192);
              ring->coalesced_mmio[0] = {};
              ring->coalesced_mmio[0].phys_addr = MMIO + 7;
              ring->coalesced_mmio[0].len = 1;
              ring->coalesced_mmio[0].data[0] = 0x42;
              ring->coalesced_mmio[1] = {};
              ring->coalesced_mmio[1].phys_addr = SCRATCH;
              ring->coalesced_mmio[1].len = 1;
              ring->coalesced_mmio[1].pio = 1;
              ring->coalesced_mmio[1].data[0] = 9;
              ring->last = 2;
              return memory(MMIO + 7, 1, false)(page);
          },
          look([](kvm_run *page) { EXPECT_EQ(page->mmio.data[0], 0x42); })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_coalesced, 2u);
    EXPECT_EQ(cpu->num_mmio, 1u);
}

TEST_F(KvmAccess, ARingThatIsOutOfBoundsEndsTheRun)
{
    cpu->use_coalesced_mmio = true;
    play({[](kvm_run *page) {
        auto *ring = reinterpret_cast<kvm_coalesced_mmio_ring *>(
            reinterpret_cast<uint8_t *>(page) + 8192);
        ring->last = 0xffffff;
        page->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
        return 0;
    }});
    start();
    EXPECT_EQ(run(), "KVM does not give its state 1");
}

TEST_F(KvmAccess, UnknownMsrsAreFaults)
{
    play({msr(KVM_EXIT_X86_RDMSR, 0x12345),
          look([](kvm_run *page) { EXPECT_EQ(page->msr.error, 1); }),
          msr(KVM_EXIT_X86_WRMSR, 0x12345, 5),
          look([](kvm_run *page) { EXPECT_EQ(page->msr.error, 1); })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(half_entries, 2);
}

TEST_F(KvmAccess, WhatTheHostDoesNotKeepIsTheCores)
{
    keeps_msrs = false;
    play({msr(KVM_EXIT_X86_WRMSR, 0x1d9, 3),
          look([](kvm_run *page) { EXPECT_EQ(page->msr.error, 0); }),
          msr(KVM_EXIT_X86_RDMSR, 0x1d9), look([](kvm_run *page) {
              EXPECT_EQ(page->msr.error, 0);
              EXPECT_EQ(page->msr.data, 3u);
          }),
          msr(KVM_EXIT_X86_WRMSR, 0x1d9, 1 << 6),
          look([](kvm_run *page) { EXPECT_EQ(page->msr.error, 1); })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpu)->msr[X86_MSR_DEBUGCTL], 3u);
    EXPECT_EQ(filtered, (std::set<uint32_t>{0x10, 0x3b, 0x1d9, 0x6e0}));
}

TEST_F(KvmAccess, WhatTheHostKeepsStaysWithIt)
{
    has_tsc_offset = true;
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(filtered, std::set<uint32_t>{0x6e0});
}

/* A system register in the vCPU, which completion brings back. */
TEST_F(KvmAccess, AWriteOfASystemRegisterThatTheCoreServesIsNotLost)
{
    play({msr(KVM_EXIT_X86_WRMSR, 0xc0000100, 0x7000),
          look([](kvm_run *page) { EXPECT_EQ(page->msr.error, 0); })});
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpu)->seg[X86_FS].base, 0x7000u);
}

} // namespace
