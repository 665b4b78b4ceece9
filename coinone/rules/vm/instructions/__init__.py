"""The instructions, one file for each group, structured like Ethereum's execution specifications.

Before a function here runs, the loop has checked that the stack has enough words and room, and has charged the static
gas of the opcode table; afterwards it advances to the next byte of code. The rest is in sections: STACK (operands), GAS
(prices that depend on values), OPERATION. Words are plain ints in 0 .. 2^256-1; a result that could leave that range is
masked explicitly.
"""
