"""Limits of the pools, with why each is that number: what may wait for a batch, of one sender and of all.

They tune one node: no batch is valid or not because of them.
"""

# Ethereum transactions
POOL_TRANSACTION_BYTES_MAX = 131_072  # geth's bound: room for the largest contract's deployment
POOL_ACCOUNT_TRANSACTIONS_MAX = 64  # nonces one sender may have waiting, gaps included (geth: 16 + 64)
POOL_ACCOUNT_BYTES_MAX = 1_048_576  # eight of the largest transactions
POOL_BYTES_MAX = 67_108_864  # of all Ethereum transactions; what cannot run goes first, then the cheapest
# Overhead counted per transaction for its table entries; the pool holds 107,000 of 110 bytes.
POOL_OVERHEAD_BYTES = 512
POOL_TIP_RATIO_MAX = 8  # base fees: the largest suggested tip, whatever others offer
POOL_TIP_WALK_MAX = 1_024  # waiting transactions examined for it: 14,680,064 gas hold 699 transfers
POOL_REPLACEMENT_PERCENT = 10  # a replacement pays at least this much more, or spam would be free

# Exchange actions
# Waiting cancels of one account, and its other actions: four of the largest each.
ACTION_ACCOUNT_BYTES_MAX = 262_144
# Of all waiting actions: sixteen full batches; a quarter is kept for cancels.
ACTION_POOL_BYTES_MAX = 33_554_432
# Targets of an account's waiting cancels beyond its open orders, since answers are delayed.
CANCEL_TARGETS_EXTRA = 8
ACTION_LOOKS_PER_BATCH = 16_384  # waiting actions judged for one batch: some 50 ms; the next batch continues
