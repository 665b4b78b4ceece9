"""Every bound of the system by name, with why it is that number.

A queue, message, batch, depth or retry that has no line here is a bug.
"""

# Decoding
RLP_DEPTH_MAX = 16  # our deepest structure nests 5 levels; recursion stays far from Python's limit
DECIMAL_TEXT_MAX = 32  # characters: 2^63 has 19 digits, plus point and 8 decimals, plus room

# Integers
INT64_MAX = 2**63 - 1
QUOTE_SUPPLY_MAX = 2**62 - 1  # micro-quote units: any sum of balances fits int64

# State
STATE_CACHE_ACCOUNTS_MAX = 1_000_000  # about 250 MB of Python objects; dropped whole when passed
STATE_CACHE_SLOTS_MAX = 2_000_000  # about 300 MB, as above
STATE_CACHE_CODES_MAX = 4096  # contracts of 24 KiB: at most 100 MB
