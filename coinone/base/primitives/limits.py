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

# Exchange wire format
MSGPACK_DEPTH_MAX = 6  # an order action nests 5: action, orders, order, t, limit
ACTION_BYTES_MAX = 65_536  # 1,000 orders of 45-60 bytes; a batch holds many accounts
ORDERS_PER_ACTION_MAX = 1_000  # orders, cancels or modifies: one kernel segment stays far below a batch slot
ORACLE_PRICES_MAX = 256  # markets in one report; more than any network lists
USER_TEXT_MAX = 128  # bytes of a signed text field: an address, amount, token or agent name
AGENT_NAME_MAX = 16  # characters, as Hyperliquid allows

# Chain
FEDERATION_MEMBERS_MAX = 64  # a certificate is 67 bytes a member and 80 µs each to check: 5 ms a batch at most
BATCH_BYTES_MAX = 8_000_000  # decoder's bound; the network's own limit is lower
BATCH_TIME_AHEAD_MS_MAX = 500  # a member votes for no batch further ahead of its clock (D1)
PREPARED_QUORUMS_MAX = 16  # batches that can be prepared and not certified when a term ends
SEAL_KEYS_PER_STEP = 32  # trie keys changed between two pauses of sealing: about 5 ms

# Pools
POOL_TRANSACTION_BYTES_MAX = 131_072  # geth's bound: room for the largest contract's deployment
POOL_ACCOUNT_TRANSACTIONS_MAX = 64  # nonces one sender may have waiting, gaps included (geth: 16 + 64)
POOL_ACCOUNT_BYTES_MAX = 1_048_576  # eight of the largest transactions
POOL_BYTES_MAX = 67_108_864  # of all Ethereum transactions; the cheapest go first
POOL_REPLACEMENT_PERCENT = 10  # a replacement pays at least this much more, or spam would be free
ACTION_BYTES_MAX = 65_536  # one signed action: 1,000 orders take about 60 KB
ACTION_ACCOUNT_BYTES_MAX = 262_144  # waiting actions of one signer: four of the largest
ACTION_POOL_BYTES_MAX = 33_554_432  # of all waiting actions: sixteen full batches

# VM
VM_PROGRAM_CACHE = 512  # analysed codes kept: 75 KB each at the largest, so 40 MB at worst
VM_MEMORY_MAX = 128 << 20  # bytes of all live frames: 16.7M gas buys at most 76 MB, so it binds eth_call only

# Merkle trees
MERKLE_DEPTH_MAX = 40  # a million million leaves: account numbers are never reused
