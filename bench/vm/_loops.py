"""Contracts that repeat one operation until their gas is used up: our own cases of worst_case.py.

`loop` repeats a body; `calls` one that calls a precompiled contract with the call data as its input. GAS stands where a
body needs a number that is new each time.
"""

CONTRACT, CALLEE, LARGE = b"\xcc" * 20, b"\xdd" * 20, b"\xee" * 20
GAS, POP = b"\x5a", b"\x50"
G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
G2 = b"".join(
    word.to_bytes(32, "big")
    for word in (
        0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
        0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
        0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
        0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
    )
)
BLS_G1 = bytes.fromhex(
    "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
    "6c55e83ff97a1aeffb3af00adb22c6bb0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4"
    "fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"
)
BLS_G2 = bytes.fromhex(
    "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177"
    "0bac0326a805bbefd48056c8c121bdb80000000000000000000000000000000013e02b6052719f607dacd3a088274f65"
    "596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e00000000000000000000000000000000"
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"
    "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab"
    "3f370d275cec1da1aaa9075ff05f79be"
)
ONES = b"\xff" * 32


def push(number: int) -> bytes:
    data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


def loop(body: bytes, before: bytes = b"") -> bytes:
    """`before` once, then `body` as long as gas lasts; the body often, so that the jump costs little."""
    repeated = body * max(1, 200 // len(body))
    return before + b"\x5b" + repeated + push(len(before)) + b"\x56"


def calls(address: int, size: int, result: int = 32) -> bytes:
    """STATICCALL with the call data, which lies at 0."""
    ready = push(size) + b"\x5f\x5f\x37"
    body = push(result) + push(size + 32) + push(size) + b"\x5f" + push(address) + GAS + b"\xfa" + POP
    return loop(body, ready)


def call(value: int, address: bytes, kind: int = 0xF1) -> bytes:
    middle = push(value) if kind in (0xF1, 0xF2) else b""
    return b"\x5f\x5f\x5f\x5f" + middle + address + GAS + bytes([kind]) + POP


def modexp(size: int, exponent: int) -> bytes:
    lengths = size.to_bytes(32, "big") + exponent.to_bytes(32, "big") + size.to_bytes(32, "big")
    return lengths + b"\xff" * size + b"\xff" * exponent + b"\xff" * (size - 1) + b"\xfd"


_TO_CALLEE, _TO_LARGE = b"\x73" + CALLEE, b"\x73" + LARGE
BODIES: dict[str, bytes] = {
    "cold SLOAD": GAS + b"\x54" + POP,
    "cold SSTORE": b"\x60\x01" + GAS + b"\x55",
    "warm SSTORE": GAS + b"\x5f\x55",
    "TSTORE": GAS + GAS + b"\x5d",
    "cold BALANCE": GAS + b"\x31" + POP,
    "cold EXTCODEHASH": GAS + b"\x3f" + POP,
    "warm EXTCODESIZE": _TO_LARGE + b"\x3b" + POP,
    "EXTCODECOPY of 24 KB": push(24_576) + b"\x5f\x5f" + _TO_LARGE + b"\x3c",
    "EXTCODECOPY of 32 B": push(32) + b"\x5f\x5f" + _TO_LARGE + b"\x3c",
    "SELFBALANCE": b"\x47" + POP,
    "BLOCKHASH": push(299) + b"\x40" + POP,
    "KECCAK256 of nothing": b"\x5f\x5f\x20" + POP,
    "KECCAK256 of 136 B": push(136) + b"\x5f\x20" + POP,
    "KECCAK256 of 24 KB": push(24_576) + b"\x5f\x20" + POP,
    "EXP": b"\x7f" + ONES + b"\x7f" + ONES + b"\x0a" + POP,
    "MULMOD": b"\x7f" + b"\xfe" * 32 + b"\x7f" + ONES + b"\x7f" + ONES + b"\x09" + POP,
    "ADDMOD": b"\x6f" + b"\xfe" * 16 + b"\x7f" + ONES + b"\x7f" + ONES + b"\x08" + POP,
    "SDIV": b"\x68" + b"\xfe" * 9 + b"\x7f" + ONES[:-1] + b"\x00" + b"\x05" + POP,
    "DIV": b"\x70" + b"\xfe" * 17 + b"\x7f" + ONES + b"\x04" + POP,
    "MOD": b"\x77" + b"\xfe" * 24 + b"\x7f" + ONES + b"\x06" + POP,
    "MCOPY of 24 KB": push(24_576) + b"\x60\x01\x5f\x5e",
    "MCOPY of nothing": b"\x5f\x5f\x5f\x5e",
    "CALLDATACOPY of 24 KB": push(24_576) + b"\x5f\x5f\x37",
    "LOG0 of nothing": b"\x5f\x5f\xa0",
    "LOG4 of nothing": b"\x5f" * 6 + b"\xa4",
    "LOG0 of 24 KB": push(24_576) + b"\x5f\xa0",
    "JUMPDEST": b"\x5b",
    "PUSH0 POP": b"\x5f\x50",
    "MSIZE POP": b"\x59\x50",
    "memory of 1 MB": push(2**20) + b"\x51" + POP,
    "CALL of nothing": call(0, _TO_CALLEE[:1] + b"\xab" * 20),
    "cold CALL": call(0, GAS),
    "CALL of STOP": call(0, _TO_CALLEE),
    "CALLCODE of STOP": call(0, _TO_CALLEE, 0xF2),
    "DELEGATECALL of STOP": call(0, _TO_CALLEE, 0xF4),
    "CALL with value": call(1, _TO_CALLEE),
    "CALL with value to a new account": call(1, GAS),
    "CREATE of nothing": b"\x5f\x5f\x5f\xf0" + POP,
    "CREATE of 48 KB": push(49_152) + b"\x5f\x5f\xf0" + POP,
    "CREATE2 of nothing": GAS + b"\x5f\x5f\x5f\xf5" + POP,
    "CREATE without coins": b"\x5f\x5f" + push(10**30) + b"\xf0" + POP,
    "CALL of SELFDESTRUCT": call(0, _TO_LARGE[:1] + b"\xa5" * 20),
    "CALL of CREATE": call(0, _TO_LARGE[:1] + b"\xa6" * 20),
}
INPUTS: dict[str, tuple[int, bytes]] = {
    "ECRECOVER": (1, b"\x11" * 32 + (27).to_bytes(32, "big") + b"\x22" * 32 + b"\x33" * 32),
    "SHA256 of nothing": (2, b""),
    "SHA256 of 24 KB": (2, bytes(24_576)),
    "RIPEMD160 of nothing": (3, b""),
    "RIPEMD160 of 24 KB": (3, bytes(24_576)),
    "IDENTITY of nothing": (4, b""),
    "IDENTITY of 24 KB": (4, bytes(24_576)),
    "MODEXP of nothing": (5, b""),
    "MODEXP 32 B ^ 32 B": (5, modexp(32, 32)),
    "MODEXP 40 B ^ 40 B": (5, modexp(40, 40)),
    "MODEXP 256 B ^ 3 B": (5, modexp(256, 3)),
    "MODEXP 256 B ^ 256 B": (5, modexp(256, 256)),
    "MODEXP 1 KB ^ 1 B": (5, modexp(1024, 1)),
    "MODEXP 1 KB ^ 1 KB": (5, modexp(1024, 1024)),
    "bn254 add": (6, G1 + G1),
    "bn254 multiply": (7, G1 + ONES),
    "bn254 pairing of nothing": (8, b""),
    "bn254 pairing": (8, G1 + G2),
    "bn254 pairing of 10": (8, (G1 + G2) * 10),
    "BLAKE2F of 0 rounds": (9, (0).to_bytes(4, "big") + bytes(209)),
    "BLAKE2F of 10,000 rounds": (9, (10_000).to_bytes(4, "big") + bytes(209)),
    "BLAKE2F of 1,000,000 rounds": (9, (1_000_000).to_bytes(4, "big") + bytes(209)),
    "BLS12-381 G1 add": (11, BLS_G1 * 2),
    "BLS12-381 G1 multiply": (12, BLS_G1 + ONES),
    "BLS12-381 G1 multiply 16": (12, (BLS_G1 + ONES) * 16),
    "BLS12-381 G2 add": (13, BLS_G2 * 2),
    "BLS12-381 G2 multiply": (14, BLS_G2 + ONES),
    "BLS12-381 G2 multiply 16": (14, (BLS_G2 + ONES) * 16),
    "BLS12-381 pairing": (15, BLS_G1 + BLS_G2),
    "BLS12-381 pairing of 8": (15, (BLS_G1 + BLS_G2) * 8),
    "BLS12-381 map to G1": (16, (7).to_bytes(64, "big")),
    "BLS12-381 map to G2": (17, (7).to_bytes(64, "big") * 2),
}
CONTRACTS = {
    CALLEE: b"\x00",
    LARGE: b"\x5b" * 24_576,
    b"\xa5" * 20: b"\x30\xff",  # sends itself its coins
    b"\xa6" * 20: b"\x5f\x5f\x5f\xf0",
}
# Calls itself with a 64th less gas each time; the deepest frame, with little gas left, makes Python take part.
_DEEP = b"\x5f\x5f\x5f\x5f\x5f\x30" + GAS + b"\xf1" + POP


def _recursion() -> bytes:
    """If gas is below 60,000: destroy; else call itself and stop."""
    test = push(60_000) + GAS + b"\x10"  # GAS < 60,000
    body = _DEEP + b"\x00"
    target = len(test) + 3 + len(body)
    return test + b"\x60" + bytes([target]) + b"\x57" + body + b"\x5b\x30\xff"


BODIES["calls 300 deep that end in SELFDESTRUCT"] = call(0, _TO_LARGE[:1] + b"\xa7" * 20)
CONTRACTS[b"\xa7" * 20] = _recursion()
