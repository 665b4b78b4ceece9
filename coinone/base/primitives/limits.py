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
FEDERATION_MEMBERS_MAX = 64  # a certificate: 67 bytes a member, 80 µs each to check, 5 ms a batch at most
BATCH_BYTES_MAX = 8_000_000  # decoder's bound; the network's own limit is lower
BATCH_TIME_AHEAD_MS_MAX = 500  # a member votes for no batch further ahead of its clock (D1)
BATCH_TIME_BEHIND_MS_MAX = 5_000  # nor further behind: later prices would not count, nobody be liquidated
SEAL_KEYS_PER_STEP = 32  # trie keys changed between two pauses of sealing: about 5 ms

# Pools
POOL_TRANSACTION_BYTES_MAX = 131_072  # geth's bound: room for the largest contract's deployment
POOL_ACCOUNT_TRANSACTIONS_MAX = 64  # nonces one sender may have waiting, gaps included (geth: 16 + 64)
POOL_ACCOUNT_BYTES_MAX = 1_048_576  # eight of the largest transactions
POOL_BYTES_MAX = 67_108_864  # of all Ethereum transactions; what cannot run goes first, then the cheapest
# What each counts besides: its place in tables; the pool holds 107,000 of 110 bytes.
POOL_OVERHEAD_BYTES = 512
POOL_TIP_RATIO_MAX = 8  # base fees: more is never suggested as a tip, whatever others offer
POOL_TIP_WALK_MAX = 1_024  # waiting transactions looked at for it: 14,680,064 gas hold 699 transfers
POOL_REPLACEMENT_PERCENT = 10  # a replacement pays at least this much more, or spam would be free
# Waiting cancels of one account, and its other actions: four of the largest each.
ACTION_ACCOUNT_BYTES_MAX = 262_144
# Of all waiting actions: sixteen full batches; a quarter is kept for cancels.
ACTION_POOL_BYTES_MAX = 33_554_432
# Waiting cancels of an account may name so many more than it has orders: answers cross.
CANCEL_TARGETS_EXTRA = 8
ACTION_REPLIES_MAX = 8  # who may wait for the outcome of one action: its sender, trying again
ACTION_LOOKS_PER_BATCH = 16_384  # waiting actions judged for one batch: some 50 ms; the next batch goes on
BARRED_OF_SIGNER_MAX = 256  # refused actions remembered of one signer
BARRED_SIGNERS_MAX = 4_096  # signers of whom some are remembered: about 130 MB if all are full
BARRED_OF_STRANGERS_MAX = 262_144  # of signers without an account, together: about 30 MB

# VM
VM_PROGRAM_CACHE = 512  # analysed codes kept: 50 KB each at the largest, so 25 MB at worst
VM_MEMORY_MAX = 128 << 20  # bytes of all live frames: 16.7M gas buys at most 76 MB, so it binds eth_call only
# The same where transactions have no gas cap: Ethereum's test chains before Osaka.
VM_MEMORY_UNCAPPED_MAX = 2 << 30
TRACE_STEPS_MAX = 200_000  # entries of one debug_traceTransaction: about 100 MB of JSON with stacks
TRACE_BYTES_MAX = 64 << 20  # of what one trace lists: the same memory may be listed again and again
TRACERS_MAX = 16  # of one muxTracer: each sees every step

# Merkle trees
MERKLE_DEPTH_MAX = 40  # a million million leaves: account numbers are never reused

# Exchange tables and kernel
MARKETS_MAX = 256  # a position is journalled under account slot * this + market
MARGIN_TIERS_MAX = 4  # of a market; Hyperliquid has three at most
POSITION_NOTIONAL_MAX = 1 << 55  # max_px * max_sz of a market, in u: 64 full positions still add up in int64
PRICE_MAX = 1 << 45  # of any market, so that a price times 10,000 basis points fits int64
OPEN_ORDERS_MAX = 1_000  # resting orders of an account over all markets, as Hyperliquid has it
# Resting orders of an account at one price: a queue is not lengthened for nothing.
OWN_ORDERS_AT_PRICE_MAX = 16
# Reduce-only orders of an account in a market: they need no margin, and each new one is put in its place among them
# step by step.
REDUCE_ONLY_ORDERS_MAX = 64
PRICE_LEVELS_MAX = 1 << 14  # prices on one side of a market: moving a whole ladder takes under 20 µs
# Orders on one side of a market: what one better price displaces at most, some 15 ms.
SIDE_ORDERS_MAX = 1 << 17
# Entries beside those in use: worst prices may go so often before the others are moved.
LADDER_SPARE = 1 << 10
FEE_RATE_MAX = 100_000  # 1 % in 10^-7: the largest fee rate, of the exchange or a builder

# Exchange inclusion (D5)
NONCES_PER_SIGNER = 100  # the highest are kept, as Hyperliquid does: parallel order flow needs no queue
NONCE_PAST_MS = 2 * 86_400_000  # a nonce is a time in ms: no older than two days
NONCE_FUTURE_MS = 86_400_000  # and no more than a day ahead, which forgives wrong clocks
ACCOUNT_ACTIONS_PER_BATCH = 256  # of one account in one batch of 250 ms
ACCOUNT_BYTES_PER_BATCH = 262_144  # four full actions
CREDIT_DEBT_MAX = 100  # credits that cancels of what is not there may cost beyond the allowance
CREDIT_GRANT = 100  # of an account that opens; those of genesis have the network's
CREDIT_PRICE = 1_000  # micro-quote of exchange fees paid for one more credit: 1,000 orders a quote unit
CREDIT_REFILL_MS = 10_000  # one more credit for so much of an account's age
CREDIT_EQUITY = 100_000_000  # micro-quote: with so much equity there is one more credit each second,
CREDIT_REFILL_MAX = 10_000  # while fewer than so many are left
SIGNERS_PER_ACCOUNT = 32  # keys with a living nonce set: bounds a leaf that swaps its agents
AGENTS_PER_ACCOUNT = 4  # one unnamed and three named, as Hyperliquid has it
BUILDERS_PER_ACCOUNT = 10  # approved at the same time
OPENING_MINIMUM = 11_000_000  # micro-quote: a smaller first credit opens no account, it waits in `unclaimed`
OPENING_FEE = 1_000_000  # micro-quote of it, to the insurance fund for ever: accounts are not for nothing
WITHDRAWALS_WAITING_MAX = 2_048  # eight EVM batches pay them; every batch encodes those that wait: some 5 ms
# Micro-quote: less reaches no address without account, or waiting rows would be for nothing.
CREDIT_MINIMUM = 100_000
COLLECTION_AGE_MS = 4 * 86_400_000  # an empty account is let go after so long: a nonce lives three days
VOLUME_MAX = 1 << 62  # lifetime volumes and fees stop here, in u or lots: they only inform, and must not wrap
# Of who has chosen none; chosen knowingly: a first order at 50x is nobody's intention.
FIRST_LEVERAGE_MAX = 10

# Execution
VERIFIED_TRANSACTIONS_MAX = 16_384  # remembered until their batch executes: about four full batches
VERIFIED_BYTES_MAX = 33_554_432  # of them together, as they came; decoded they take up to three times as much
BLOOM_ENTRIES_REMEMBERED = 16_384  # addresses and topics whose bits are known: about 6 MB
HEADERS_IN_MEMORY_MAX = 1_024  # BLOCKHASH reaches back 256, a base a few
SYSTEM_CALL_GAS = 200_000  # one transfer of the quote token takes a quarter of it at most

# Exchange clockwork (batch time in ms)
ORACLE_FRESH_MS = 20_000  # an older report says nothing; seven missed reports of 3 s
ORACLE_AHEAD_MS = 2_000  # how far a reporter's clock may lead the batch
ORACLE_RISK_MS = 6_000  # an older price allows no new risk; two report rounds
JUMP_WINDOW_MS = 6_000  # a jump of the oracle waits at most so long to be said again; two report rounds
SAMPLE_MS = 5_000  # a batch's quotes speak for at most so long, so that a gap does not outweigh what follows
BASIS_GAP_MS = 30_000  # without a quote that can be hit for so long, the mark goes back to the oracle
FUNDING_WEIGHED_MIN_MS = 1_800_000  # an hour weighed for less than its half pays nothing
FUNDING_BOOKED_PER_BATCH = 1_024  # positions: about 15 ms; fifteen millions in an hour of batches of 250 ms
LIQUIDATION_COOLDOWN_MS = 30_000  # between partial liquidations of an account
LIQUIDATIONS_PER_TURN = 64  # accounts with an order in the book
LIQUIDATION_TURNS_PER_BATCH = 8  # after each of which the book is looked at again
LIQUIDATION_TURNS_BY_NEED = 4  # of these; in the others the order is drawn, so that no crowd has all places
DELEVERAGED_PER_BATCH = 512  # accounts closed against others for what margin is left: about 100 ms
CLOSES_PER_BATCH = 1_024  # of these and the locked, against one counterparty each: about 100 ms
CLOSES_BY_RANK = 512  # of these; for the others the largest holders come first
RANKED_PER_SIDE = 4_096  # largest holders among whom those closes go: more than closes; about 20 ms
LEVIED_AT_ONCE = 4_096  # largest winners of a market who pay for its debts before any others: about 300 ms
LEVY_LEAST = 10_000  # micro-quote: one winner is charged for each so much of a debt
LOCKED_CLOSED_PER_BATCH = 512  # accounts whose debts others paid; further ones wait, locked: about 100 ms
FEE_TURNS_PER_BATCH = 512  # accounts whose day's fee tier is chosen: a million in eight minutes
CANCELS_FIRED_PER_DAY = 10  # scheduleCancel, as Hyperliquid has it
CANCELS_FIRED_PER_BATCH = 256  # accounts: about 15 ms; what is due beyond fires in the next batches
CANCELS_DUE_SEEN_PER_BATCH = 1_024  # accounts, of those with many orders that wait as well: about 10 ms
# Orders, of accounts in liquidation, and of scheduled cancels; the last one's beyond: some 60 ms.
CANCELLED_WHOLE_PER_BATCH = 16_384
FIRED_WITH_FEW = 32  # orders: a scheduled cancel of so few fires beyond that bound too
SCHEDULE_AHEAD_MS = 5_000  # scheduleCancel must lie so far ahead

# Storage
MAP_MIB = 64 * 1024  # most that the database may grow to: address space, not disk
LOG_FILE_BYTES = 8 * 1024 * 1024  # a batch log file closes at this size: read whole, dropped whole
ARCHIVE_SCAN_ROWS_MAX = 100_000  # of one range at an older block: a second of look-ups
UNDO_BLOCKS_MAX = 256  # blocks that can be taken back; checkpoints come every 30
SCRUB_AT_START_ROWS_MAX = 1_000_000  # rows of state read through before a node starts: some seconds
HISTORY_PER_ANSWER_MAX = 2000  # fills, trades or payments in one answer, as the field's API gives
# Rows of an answer that must have all of a time: more than the fills of an account that others can make in one batch,
# 48,000 orders of 41 bytes and a thousand of its own; 17 MB of JSON.
HISTORY_WHOLE_ANSWER_MAX = 50_000
CANDLES_PER_ANSWER_MAX = 5000  # as above
ENDED_ORDERS_KEPT = 2_000_000  # order ids back from the newest: about 1 GB at most
TRADES_KEPT = 10_000_000  # trade ids back from the newest, with both fills of each: about 5 GB at most
CANDLES_KEPT = 260_000  # of each market and stored interval: half a year of minutes
# Events of a batch whose rows are made at once, some 80 ms; of more when asked for.
HISTORY_PREPARED_MAX = 16_384
HISTORY_KEPT_MS = 366 * 86_400_000  # funding paid, funding rates and ledger entries: a fiscal year
HISTORY_PRUNED_PER_ROW = 4  # old rows that go with a new one: more, so that a lowered bound is reached
ENDED_ORDERS_PRUNED_PER_BLOCK = 10_000  # of those beyond the number kept; more than blocks end on the average

# Node
HEALTH_INTERVALS_MAX = 40  # of batches without one, 10 s on dev; then a node does not call itself well
VIEW_LEVELS_MAX = 1_000  # price levels a side that a view copies: fifty times what the API shows at once
EXECUTOR_JOBS_MAX = 10_000  # closures waiting for the executor; beyond, callers are told to come back
INTAKE_PER_VISIT = 256  # Ethereum transactions put into the pool at once: about 8 ms of the executor
INTAKE_WAITING_MAX = 10_000  # beyond, senders are told to come back
SIGNERS_POOL_LEAST = 32  # signatures that are worth a job for another process: 2 ms against half of one
SIGNERS_POOL_PROCESSES_MAX = 4  # 20,000 signatures a second each; more than a node can execute
SUBSCRIPTION_BATCHES_MAX = 256  # batches a subscriber may lag: about a minute
SEAL_SLICE_MS = 15  # of sealing between two batches: with the step under way, fewer than the 20 of D7
DEV_SNAPSHOTS_MAX = 1_000  # evm_snapshot marks that are remembered
ORACLE_REPORTS_OF_REPORTER_MAX = 4  # waiting for a batch, the newest: prices may come by parts of the markets
SOLVENCY_CHECK_BLOCKS = 30  # blocks between full sums over all accounts: about a minute on dev
