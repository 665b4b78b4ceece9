"""The native interpreter: the same virtual machine as machine code, generated from the opcode table.

`module.py` writes the program, `compiler.py` makes it callable, `machine.py` drives it in the place of the
reference's `advance`. The reference is normative: `vm/verify.py` runs both and compares.
"""
