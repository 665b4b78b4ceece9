"""Names for the byte strings that everything passes round.

They are immutable `bytes`; hexadecimal text exists only at the border (`parse.py`).
"""

from typing import TypeAlias

Address: TypeAlias = bytes  # 20 bytes
Hash32: TypeAlias = bytes  # 32 bytes

ZERO_ADDRESS: Address = bytes(20)
ZERO_HASH: Hash32 = bytes(32)
