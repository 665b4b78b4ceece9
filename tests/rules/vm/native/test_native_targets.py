"""The native interpreter for processors that this machine is not: it compiles, and needs no runtime library for sums.

That it runs there is not shown: only machines of the kind can.
"""

import re

import pytest
from llvmlite import binding

from coinone.rules.vm.native.compiler import compile_object, opcodes_by_fork
from coinone.rules.vm.native.module import program

HELPERS = re.compile(rb"__u?(?:div|mod|mul|ash|lsh)\w*")  # such as __udivti3: not there under MCJIT
HEADS = {
    "aarch64-unknown-linux-gnu": b"\x7fELF\x02\x01\x01",  # 64 bits, little endian
    "arm64-apple-darwin": b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01",  # Mach-O, CPU_TYPE_ARM64
}


@pytest.mark.parametrize("triple", HEADS)
def test_the_interpreter_compiles_for_arm(triple: str) -> None:
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(triple).create_target_machine(opt=2, codemodel="default")
    code = compile_object(program(opcodes_by_fork()), machine)
    assert code.startswith(HEADS[triple])
    assert len(code) > 50_000
    assert HELPERS.findall(code) == []
    if code.startswith(b"\x7fELF"):
        assert int.from_bytes(code[18:20], "little") == 183, "EM_AARCH64"
