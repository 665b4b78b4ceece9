"""Calls, creations, and the end of a contract: the memory they name is paid for here, the rest is Python's."""

HOST: dict[str, tuple[tuple[int, int], ...]] = {
    "CREATE": ((2, 3),),
    "CREATE2": ((2, 3),),
    "CALL": ((4, 5), (6, 7)),
    "CALLCODE": ((4, 5), (6, 7)),
    "DELEGATECALL": ((3, 4), (5, 6)),
    "STATICCALL": ((3, 4), (5, 6)),
    "SELFDESTRUCT": (),
}
