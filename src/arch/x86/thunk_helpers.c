/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of helpers. */
#include "arch/x86/thunk_helpers.h"

#include "arch/x86/thunk_gather.h"
#include "arch/x86/thunk_x87.h"
#include "arch/x86/thunk_xsave.h"

#define ROW(mnemonic, needs, fn)                                               \
    {                                                                          \
        ZYDIS_MNEMONIC_##mnemonic, needs, x86_thunk_##fn, NULL                 \
    }
#define QUICK(mnemonic, needs, fn, code)                                       \
    {                                                                          \
        ZYDIS_MNEMONIC_##mnemonic, needs, x86_thunk_##fn, x86_thunk_##code     \
    }

static const struct x86_thunk_helper_row helpers[] = {
    ROW(VGATHERDPS, 0, gather),
    ROW(VGATHERDPD, 0, gather),
    ROW(VGATHERQPS, 0, gather),
    ROW(VGATHERQPD, 0, gather),
    ROW(VPGATHERDD, 0, gather),
    ROW(VPGATHERDQ, 0, gather),
    ROW(VPGATHERQD, 0, gather),
    ROW(VPGATHERQQ, 0, gather),
    ROW(VSCATTERDPS, 0, scatter),
    ROW(VSCATTERDPD, 0, scatter),
    ROW(VSCATTERQPS, 0, scatter),
    ROW(VSCATTERQPD, 0, scatter),
    ROW(VPSCATTERDD, 0, scatter),
    ROW(VPSCATTERDQ, 0, scatter),
    ROW(VPSCATTERQD, 0, scatter),
    ROW(VPSCATTERQQ, 0, scatter),
    ROW(MASKMOVDQU, 0, maskmov),
    ROW(VMASKMOVDQU, 0, maskmov),
    ROW(MASKMOVQ, 0, maskmov),
    QUICK(FLDCW, 0, fldcw, fldcw_code),
    ROW(FWAIT, 0, fwait),
    ROW(FNINIT, 0, fninit),
    ROW(FNSTENV, 0, fnstenv),
    ROW(FNSAVE, 0, fnstenv),
    ROW(FLDENV, 0, fldenv),
    ROW(FRSTOR, 0, fldenv),
    ROW(LDMXCSR, X86_NEED_SSE, ldmxcsr),
    ROW(VLDMXCSR, X86_NEED_AVX, ldmxcsr),
    QUICK(STMXCSR, X86_NEED_SSE, stmxcsr, stmxcsr_code),
    ROW(VSTMXCSR, X86_NEED_AVX, stmxcsr),
    QUICK(VZEROUPPER, X86_NEED_AVX, vzero, vzeroupper_code),
    ROW(VZEROALL, X86_NEED_AVX, vzero),
    ROW(FXSAVE, X86_NEED_X87, fxsave),
    ROW(FXSAVE64, X86_NEED_X87, fxsave),
    ROW(FXRSTOR, X86_NEED_X87, fxrstor),
    ROW(FXRSTOR64, X86_NEED_X87, fxrstor),
    ROW(XSAVE, 0, xsave),
    ROW(XSAVE64, 0, xsave),
    ROW(XSAVEOPT, 0, xsave),
    ROW(XSAVEOPT64, 0, xsave),
    ROW(XSAVEC, 0, xsave),
    ROW(XSAVEC64, 0, xsave),
    ROW(XSAVES, 0, xsave),
    ROW(XSAVES64, 0, xsave),
    ROW(XRSTOR, 0, xrstor),
    ROW(XRSTOR64, 0, xrstor),
    ROW(XRSTORS, 0, xrstor),
    ROW(XRSTORS64, 0, xrstor),
};

const struct x86_thunk_helper_row *x86_thunk_helper_find(uint16_t mnemonic)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(helpers); i++) {
        if (helpers[i].mnemonic == mnemonic)
            return &helpers[i];
    }
    return NULL;
}
