/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 32-bit protected mode: exceptions and their frames, segment checks, gates,
 * privilege changes, the I/O bitmap.
 */
#include "kernel_rt.h"

static void test_exceptions(void)
{
    u32 eip_before;

    EXPECT_FAULT("divide by zero", 0, 0,
                 "mov $1, %%eax; cltd; xor %%ecx, %%ecx; div %%ecx", "b"(0));
    EXPECT_FAULT("quotient overflow", 0, 0,
                 "xor %%eax, %%eax; mov $5, %%edx; mov %%edx, %%ecx; div %%ecx",
                 "b"(0));
    EXPECT_FAULT("INT3", 3, 0, "int3", "b"(0));
    check("INT3 pushes the next address", 0xcc, *(const u8 *)(fault_eip - 1));
    EXPECT_FAULT("INTO with OF", 4, 0, "movb $0x7f, %%al; addb $1, %%al; into",
                 "b"(0));
    EXPECT_NO_FAULT("INTO without OF", "xor %%eax, %%eax; into", "b"(0));
    EXPECT_FAULT("UD2", 6, 0, "ud2", "b"(0));
    check("UD2 pushes its own address", 0x0f, *(const u8 *)fault_eip);
    check("RF is set in a fault's frame", 0x10000, fault_eflags & 0x10000);
    EXPECT_FAULT("INT n", 0x80, 0, "int $0x80", "b"(0));
    eip_before = fault_eip;
    check("INT n pushes the next address", 0x80, *(const u8 *)(eip_before - 1));
}

static void test_bound(void)
{
    static const int limits[2] = {5, 10};

    EXPECT_NO_FAULT("BOUND inside", "mov $7, %%eax; bound %%eax, (%%esi)",
                    "S"(limits));
    EXPECT_FAULT("BOUND below", 5, 0, "mov $4, %%eax; bound %%eax, (%%esi)",
                 "S"(limits));
    EXPECT_FAULT("BOUND above", 5, 0, "mov $11, %%eax; bound %%eax, (%%esi)",
                 "S"(limits));
}

static void test_trap_flag(void)
{
    u32 before;

    fault_vector = 256;
    resume_eip = 0;
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf\n"
                     "movl $88f, %0\n"
                     "nop\n"
                     "88:"
                     : "=r"(before)::"memory", "cc");
    check("single step traps", 1, fault_vector);
    check("BS in DR6", 0x4000, ({
              u32 dr6;
              __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
              dr6 & 0x4000;
          }));
    (void)before;
}

static void test_segments(void)
{
    gdt[6] = descriptor(0x1000, 0xfff, 0x93, 4); /* 4 KiB data */
    gdt[7] = descriptor(0, 0xfffff, 0x91, 0xc);  /* read-only */
    gdt[8] = descriptor(0, 0xfffff, 0x13, 0xc);  /* not present */
    gdt[9] = descriptor(0, 0xfff, 0x97, 4);      /* expand down */
    gdt[10] = descriptor(0, 0xfffff, 0x99, 0xc); /* execute only */

    EXPECT_FAULT("null selector use", 13, 0,
                 "xor %%eax, %%eax; mov %%eax, %%fs; mov %%fs:0, %%eax",
                 "b"(0));
    EXPECT_FAULT("null SS", 13, 0, "xor %%eax, %%eax; mov %%eax, %%ss", "b"(0));
    EXPECT_FAULT("selector beyond the table", 13, 0x1000,
                 "mov $0x1003, %%eax; mov %%eax, %%fs", "b"(0));
    EXPECT_FAULT("not present data", 11, 0x40,
                 "mov $0x40, %%eax; mov %%eax, %%fs", "b"(0));
    EXPECT_FAULT("not present stack", 12, 0x40,
                 "mov $0x40, %%eax; mov %%eax, %%ss", "b"(0));
    EXPECT_FAULT("execute-only in a data register", 13, 0x50,
                 "mov $0x50, %%eax; mov %%eax, %%fs", "b"(0));
    EXPECT_FAULT("read-only stack", 13, 0x38,
                 "mov $0x38, %%eax; mov %%eax, %%ss", "b"(0));
    EXPECT_NO_FAULT("last byte of a segment",
                    "mov $0x30, %%eax; mov %%eax, %%fs; movb %%fs:0xfff, %%al",
                    "b"(0));
    EXPECT_FAULT("one past the limit", 13, 0, "movw %%fs:0xfff, %%ax", "b"(0));
    EXPECT_FAULT("write to read-only", 13, 0,
                 "mov $0x38, %%eax; mov %%eax, %%fs; movb %%al, %%fs:0x5000",
                 "b"(0));
    EXPECT_FAULT("expand-down below the limit", 13, 0,
                 "mov $0x48, %%eax; mov %%eax, %%fs; movb %%fs:0xfff, %%al",
                 "b"(0));
    EXPECT_NO_FAULT("expand-down above the limit", "movb %%fs:0x1000, %%al",
                    "b"(0));
    EXPECT_FAULT("write through CS", 13, 0, "movb %%al, %%cs:0x5000", "b"(0));
    check("the accessed bit was set", 0x93, gdt[6] >> 40 & 0xff);
}

static u32 lar(u32 selector, u32 *zf)
{
    u32 rights = 0;
    u8 is_set;

    __asm__ volatile("lar %2, %0; setz %1"
                     : "+r"(rights), "=q"(is_set)
                     : "r"(selector));
    *zf = is_set;
    return rights;
}

static void test_inspection(void)
{
    u32 zf, limit = 0;

    check("LAR of code", 0xcf9b00, lar(KERNEL_CODE, &zf));
    check("LAR sets ZF", 1, zf);
    (void)lar(0, &zf);
    check("LAR of null clears ZF", 0, zf);
    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(0x30));
    check("LSL", 0xfff, limit);
    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(KERNEL_DATA));
    check("LSL with granularity", 0xffffffff, limit);
    __asm__ volatile("verw %w1; setz %b0" : "=q"(zf) : "r"(0x38));
    check("VERW of read-only", 0, zf & 0xff);
    __asm__ volatile("verr %w1; setz %b0" : "=q"(zf) : "r"(0x38));
    check("VERR of read-only", 1, zf & 0xff);
}

/* ------------------------------------------------------------- user mode */

static u8 user_stack[4096] __attribute__((aligned(16)));
static volatile u32 kernel_esp, user_result;

/* Call a function at CPL 3; it ends with INT 0x81. */
__attribute__((noinline)) static void run_user(const void *entry)
{
    fault_vector = 256;
    fault_error = 0;
    __asm__ volatile("pusha\n"
                     "mov %%esp, kernel_esp_asm\n"
                     "mov %0, %%ds\n"
                     "mov %0, %%es\n"
                     "push %0\n"
                     "push %1\n"
                     "pushf\n"
                     "push $0x1b\n"
                     "push %2\n"
                     "iret\n"
                     "back_from_user:\n"
                     "mov $0x10, %%eax\n"
                     "mov %%eax, %%ds\n"
                     "mov %%eax, %%es\n"
                     "mov kernel_esp_asm, %%esp\n"
                     "popa" ::"r"(USER_DATA),
                     "r"(user_stack + sizeof user_stack), "r"(entry)
                     : "memory", "cc");
}
__asm__(".bss\nkernel_esp_asm: .long 0\n.text\n"
        "user_end: int $0x81\n"
        "user_hlt: hlt\n int $0x81\n"
        "user_cli: cli\n int $0x81\n"
        "user_out: mov $0x55, %al\n out %al, $0x20\n int $0x81\n"
        "user_out_ok: mov $0x55, %al\n out %al, $0x80\n int $0x81\n"
        "user_cr0: mov %cr0, %eax\n int $0x81\n"
        "user_int: int $0x82\n"
        "user_lgdt: lgdt 0\n int $0x81\n"
        "user_kernel_ds: mov $0x10, %eax\n mov %eax, %ds\n int $0x81\n"
        "user_popf: pushf\n orl $0x3200, (%esp)\n popf\n pushf\n"
        "pop %eax\n int $0x81\n"
        "user_gate: lcall $0x5b, $0\n int $0x81\n"
        "gate_entry: mov 8(%esp), %edx\n mov %cs, %eax\n lret $4\n"
        "user_gate_param: push $0x1234\n lcall $0x63, $0\n int $0x81\n");
extern const u8 back_from_user[], user_end[], user_hlt[], user_cli[],
    user_out[], user_out_ok[], user_cr0[], user_int[], user_lgdt[],
    user_kernel_ds[], user_popf[], user_gate[], gate_entry[], user_gate_param[];

/* A fault of the user's code ends it, too. */
static volatile u32 seen_eax, seen_edx;
__attribute__((used)) static void note_user_end(void)
{
}
__asm__("user_done:\n"
        "mov $0x10, %ecx\n mov %ecx, %ds\n mov %ecx, %es\n"
        "mov %eax, seen_eax_asm\n mov %edx, seen_edx_asm\n"
        "jmp back_from_user\n"
        ".bss\nseen_eax_asm: .long 0\nseen_edx_asm: .long 0\n.text\n");
extern const u8 user_done[];
extern volatile u32 seen_eax_asm, seen_edx_asm;

/* After a fault at CPL 3 the stub returns to this, still at CPL 3. */
static void expect_user_fault(const char *what, const void *entry, u32 vector,
                              u32 error)
{
    resume_eip = (u32)user_end;
    run_user(entry);
    resume_eip = 0;
    check(what, vector, fault_vector);
    check(what, error, fault_error);
}

static void test_user_mode(void)
{
    idt[0x81] = gate(KERNEL_CODE, user_done, 0xee);
    gdt[11] = gate(KERNEL_CODE, gate_entry, 0xec);
    gdt[12] = gate(KERNEL_CODE, gate_entry, 0xec) | 1ULL << 32;
    main_tss.bitmap[0x80 / 8] = 0xfe;

    run_user(user_end);
    check("to CPL 3 and back", 256, fault_vector);
    expect_user_fault("HLT at CPL 3", user_hlt, 13, 0);
    check("the frame names the user's code", USER_CODE, fault_cs);
    check("the frame names the user's stack", USER_DATA, fault_ss);
    check("the frame has the user's ESP", (u32)user_stack + sizeof user_stack,
          fault_esp);
    expect_user_fault("CLI at CPL 3", user_cli, 13, 0);
    expect_user_fault("OUT that the bitmap forbids", user_out, 13, 0);
    run_user(user_out_ok);
    check("OUT that the bitmap allows", 256, fault_vector);
    expect_user_fault("MOV from CR0 at CPL 3", user_cr0, 13, 0);
    expect_user_fault("INT through a kernel's gate", user_int, 13,
                      0x82 * 8 + 2);
    expect_user_fault("LGDT at CPL 3", user_lgdt, 13, 0);
    expect_user_fault("kernel data at CPL 3", user_kernel_ds, 13, 0x10);
    run_user(user_popf);
    check("POPF at CPL 3 leaves IF and IOPL", 0, seen_eax_asm & 0x3200);
    seen_eax_asm = 0;
    run_user(user_gate_param);
    check("a call gate enters the kernel", KERNEL_CODE, seen_eax_asm);
    check("a call gate copies parameters", 0x1234, seen_edx_asm);
    (void)user_gate;
    (void)user_result;
    (void)kernel_esp;
    (void)seen_eax;
    (void)seen_edx;
}

/* ------------------------------------------------------------------ paging */

static u32 page_directory[1024] __attribute__((aligned(4096)));
static u32 page_table[1024] __attribute__((aligned(4096)));
static u32 test_frame[1024] __attribute__((aligned(4096)));
#define TEST_PAGE 0x00800000U

static void map_test_page(u32 bits)
{
    page_table[0] = (u32)test_frame | bits;
    __asm__ volatile("invlpg (%0)" ::"r"(TEST_PAGE) : "memory");
}

static void test_paging(void)
{
    u32 cr0;

    page_directory[0] = 0x83; /* 4 MiB: the kernel */
    page_directory[TEST_PAGE >> 22] = (u32)page_table | 7;
    __asm__ volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4\n"
                     "mov %1, %%cr3\n"
                     "mov %%cr0, %0; or $0x80010000, %0; mov %0, %%cr0"
                     : "=r"(cr0)
                     : "r"(page_directory)
                     : "eax", "memory");
    EXPECT_FAULT("page not present", 14, 0, "mov (%%esi), %%eax",
                 "S"(TEST_PAGE + 16));
    check("CR2", TEST_PAGE + 16, fault_cr2);
    EXPECT_FAULT("write to a page not present", 14, 2, "mov %%eax, (%%esi)",
                 "S"(TEST_PAGE));
    map_test_page(1);
    EXPECT_NO_FAULT("read", "mov (%%esi), %%eax", "S"(TEST_PAGE));
    check("accessed", 0x21, page_table[0] & 0xfff);
    EXPECT_FAULT("write to a read-only page with CR0.WP", 14, 3,
                 "mov %%eax, (%%esi)", "S"(TEST_PAGE));
    map_test_page(3);
    EXPECT_NO_FAULT("write", "movl $0x99, (%%esi)", "S"(TEST_PAGE));
    check("dirty and accessed", 0x63, page_table[0] & 0xfff);
    check("the frame was written", 0x99, test_frame[0]);
    EXPECT_FAULT("an access across the end of the page", 14, 0,
                 "mov (%%esi), %%eax", "S"(TEST_PAGE + 4094));
    check("CR2 is the second page", TEST_PAGE + 4096, fault_cr2);
    __asm__ volatile("mov %%cr0, %0; and $0x7fffffff, %0; mov %0, %%cr0"
                     : "=r"(cr0)::"memory");
}

static void test_double_fault(void)
{
    u64 saved = idt[13];

    idt[13] = 0; /* #GP is not present: contributory on contributory */
    EXPECT_FAULT("#GP without a gate becomes #DF", 8, 0,
                 "mov $0x1000, %%eax; mov %%eax, %%fs", "b"(0));
    idt[13] = saved;
}

static void test_main(void)
{
    test_exceptions();
    test_bound();
    test_trap_flag();
    test_segments();
    test_inspection();
    test_user_mode();
    test_paging();
    test_double_fault();
}
