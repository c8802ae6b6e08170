/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory accesses that nobody answers: all ones, as on a PC.  QEMU reads
 * zeros. */
#include "kernel_rt.h"

static void test_main(void)
{
    volatile u32 *hole = (volatile u32 *)0xfd000000;

    check("32 bits", 0xffffffff, *hole);
    *hole = 0;
    check("16 bits", 0xffff, *(volatile u16 *)hole);
    check("8 bits", 0xff, *(volatile u8 *)hole);
    check("nothing was stored", 0xffffffff, *hole);
}
