"""The JIT: frequently run contracts compiled to machine code, one function for each block of instructions.

A compiled block has the form of an instruction of the native interpreter, and the two call each other freely:
where anything unusual happens (too little gas or stack, a slot not yet loaded, an invalid jump) a block passes the
instruction, with the state exactly as before it, to the interpreter, whose instructions return to compiled code at the
next block. So a block handles the usual case only, and the interpreter is responsible for the rest.

`analysis` finds the blocks, `block` writes one, `module` writes all of a contract, `compiler` makes and stores the
machine code, `policy` decides what to compile, `execution` is the engine.
"""
