"""Contracts that run often, compiled to machine code: one function for each block of instructions.

A compiled block has the form of an instruction of the native interpreter, and the two call each other freely:
where anything unusual happens (gas or stack runs short, a slot is not there, a jump leads nowhere) a block hands the
instruction, with everything as it was before it, to the interpreter, whose instructions come back at the next
block. So a block knows the usual case only, and whatever it leaves out is right by the interpreter.

`analysis` finds the blocks, `block` writes one, `module` all of a contract, `compiler` makes and keeps the machine
code, `policy` decides what is worth it, `execution` is the engine.
"""
