"""What each instruction does, a chapter a file, in the rhythm of the execution specifications.

Before a function here runs, the loop has checked that the stack is high enough (and has room), and has
paid the static gas of the opcode table; afterwards it steps to the next byte of code. What remains comes
in beats: STACK (what is taken), GAS (what depends on values), OPERATION. Words are plain ints in
0 .. 2^256-1; where a result could leave that range it is masked by name.
"""
