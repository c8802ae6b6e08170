/* SPDX-License-Identifier: BSD-3-Clause */
/* Three faults in a row: the processor shuts down.  The last check is that the
 * run ends there, with the status of a triple fault. */
#include "kernel_rt.h"

static void test_main(void)
{
    const struct table_reg none = {0, 0};

    check("a handler is there before", 0, ({
              EXPECT_FAULT("UD2", 6, 0, "ud2", "b"(0));
              0;
          }));
    put_decimal(num_passed);
    put_text(" passed, 0 failed\n");
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
    check("nothing is executed behind a triple fault", 0, 1);
}
