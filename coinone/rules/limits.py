"""Limits of the rules' working memory, with why each is that number: what is remembered, and how long a step is.

No result depends on a number here: with any other a node computes the same roots, later or in more memory. What all
nodes must have alike is a parameter (`base/primitives/parameters.py`).
"""

# State
STATE_CACHE_ACCOUNTS_MAX = 1_000_000  # about 250 MB of Python objects; dropped whole when passed
STATE_CACHE_SLOTS_MAX = 2_000_000  # about 300 MB, as above
STATE_CACHE_CODES_MAX = 4096  # contracts of 24 KiB: at most 100 MB
SEAL_KEYS_PER_STEP = 32  # trie keys changed between two pauses of sealing: about 5 ms
HEADERS_IN_MEMORY_MAX = 1_024  # BLOCKHASH reaches back 256, a base a few

# Transactions
VERIFIED_TRANSACTIONS_MAX = 16_384  # remembered until their batch executes: about four full batches
VERIFIED_BYTES_MAX = 33_554_432  # of them together, as they came; decoded they take up to three times as much
BLOOM_ENTRIES_REMEMBERED = 16_384  # addresses and topics whose bits are known: about 6 MB

# VM
VM_PROGRAM_CACHE = 512  # analysed codes kept: 50 KB each at the largest, so 25 MB at worst
TRACE_STEPS_MAX = 200_000  # entries of one debug_traceTransaction: about 100 MB of JSON with stacks
TRACE_BYTES_MAX = 64 << 20  # of what one trace lists: the same memory may be listed again and again
TRACERS_MAX = 16  # of one muxTracer: each sees every step

# Books
# Entries of a ladder beside those in use: worst prices may go so often before the others are moved.
LADDER_SPARE = 1 << 10
