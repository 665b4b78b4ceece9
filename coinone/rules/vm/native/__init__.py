"""The native interpreter: the virtual machine as machine code, generated from the opcode table.

`module.py` writes the program, `compiler.py` makes it callable, `machine.py` drives it in place of the reference's
`advance`. The reference is normative: `vm/verify.py` runs both and compares.
"""
