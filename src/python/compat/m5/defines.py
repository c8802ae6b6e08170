# SPDX-License-Identifier: BSD-3-Clause
"""gem5's m5.defines: what this simulator was built with."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Dict

import gearshift
from gearshift.params.desc import object_classes

buildEnv: Dict[str, Any] = {
    "USE_X86_ISA": True,
    "USE_ARM_ISA": False,
    "USE_RISCV_ISA": False,
    "USE_SPARC_ISA": False,
    "USE_POWER_ISA": False,
    "USE_MIPS_ISA": False,
    "USE_NULL_ISA": False,
    "BUILD_GPU": False,
    "HAVE_PROTOBUF": False,
    "HAVE_HDF5": find_spec("h5py") is not None,
    "KVM_ISA": "x86",
    "PROTOCOL": "None",
    "RUBY": False,
    "TARGET_ISA": "x86",
    "USE_KVM": "X86KvmCPU" in object_classes,
    "USE_SYSTEMC": False,
}
compileDate = "unknown"
gem5Version = f"Gearshift {gearshift.__version__}"
