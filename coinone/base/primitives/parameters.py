"""The protocol's parameters: every number that must be the same on all nodes, with its unit and its reason.

Nodes with different parameters refuse each other's batches, compute different roots or vote for different ones. So a
change here is a new network or an announced fork, and needs new golden vectors. What a network chooses for itself is
in its genesis (`rules/chain/network.py`). Numbers that tune one node are its limits and have other homes:
`rules/limits.py`, `protocols/*/limits.py`, `node/limits.py`, `interfaces/api/limits.py`. No result may depend on those.

They stand below the rules, not among them, because what people sign and what clients check reads them too.
"""

# Encoding
RLP_DEPTH_MAX = 16  # our deepest structure nests 5 levels; recursion stays far from Python's limit
MSGPACK_DEPTH_MAX = 6  # an order action nests 5: action, orders, order, t, limit
DECIMAL_TEXT_MAX = 32  # characters: 2^63 has 19 digits, plus point and 8 decimals, plus room
MERKLE_DEPTH_MAX = 40  # 10^12 leaves: account numbers are never reused
QUOTE_SUPPLY_MAX = 2**62 - 1  # micro-quote units: any sum of balances fits int64

# Actions
ACTION_BYTES_MAX = 65_536  # 1,000 orders of 45-60 bytes; a batch holds many accounts
ORDERS_PER_ACTION_MAX = 1_000  # orders, cancels or modifies: one kernel segment stays far below a batch slot
ORACLE_PRICES_MAX = 256  # markets in one report; more than any network lists
USER_TEXT_MAX = 128  # bytes of a signed text field: an address, amount, token or agent name
AGENT_NAME_MAX = 16  # characters, as Hyperliquid allows

# Federation and batches
FEDERATION_MEMBERS_MAX = 64  # a certificate: 67 bytes a member, 80 µs each to check, 5 ms a batch at most
BATCH_BYTES_MAX = 8_000_000  # decoder's bound; the network's own limit is lower
BATCH_TIME_AHEAD_MS_MAX = 500  # a member votes for no batch further ahead of its clock (D1)
BATCH_TIME_BEHIND_MS_MAX = (
    5_000  # nor further behind: newer prices would not count, nor anybody be liquidated
)

# EVM
VM_MEMORY_MAX = 128 << 20  # bytes of all live frames: 16.7M gas buys at most 76 MB, so it binds eth_call only
# Bytes of the same where transactions have no gas cap: Ethereum's test chains before Osaka.
VM_MEMORY_UNCAPPED_MAX = 2 << 30
SYSTEM_CALL_GAS = 200_000  # one transfer of the quote token takes a quarter of it at most

# Markets, books and margin
MARKETS_MAX = 256  # a position is journalled under account slot * this + market
MARGIN_TIERS_MAX = 4  # of a market; Hyperliquid has three at most
POSITION_NOTIONAL_MAX = 1 << 55  # max_px * max_sz of a market, in u: 64 full positions still add up in int64
PRICE_MAX = 1 << 45  # of any market, so that a price times 10,000 basis points fits int64
OPEN_ORDERS_MAX = 1_000  # resting orders of an account over all markets, as Hyperliquid has it
# Resting orders of an account at one price, so that nobody lengthens a queue for nothing.
OWN_ORDERS_AT_PRICE_MAX = 16
# Reduce-only orders of an account in a market: they need no margin, and each new one is put in its place among them
# step by step.
REDUCE_ONLY_ORDERS_MAX = 64
PRICE_LEVELS_MAX = 1 << 14  # prices on one side of a market: moving a whole ladder takes under 20 µs
# Orders on one side of a market: what one better price displaces at most, some 15 ms.
SIDE_ORDERS_MAX = 1 << 17
FEE_RATE_MAX = 100_000  # 1 % in 10^-7: the largest fee rate, of the exchange or a builder
# Leverage of an account that has chosen none: few intend a first order at 50x.
FIRST_LEVERAGE_MAX = 10
VOLUME_MAX = 1 << 62  # lifetime volumes and fees stop here, in u or lots, rather than wrap

# Accounts
OPENING_MINIMUM = 11_000_000  # micro-quote: a smaller first credit opens no account, it waits in `unclaimed`
OPENING_FEE = 1_000_000  # micro-quote of it, which the insurance fund keeps: else accounts would be free
# Micro-quote: smaller credits reach no address without an account, else waiting rows would be free.
CREDIT_MINIMUM = 100_000
COLLECTION_AGE_MS = (
    4 * 86_400_000
)  # an empty account is removed after so long: a nonce is valid for three days
SIGNERS_PER_ACCOUNT = 32  # keys with a nonce set: bounds the leaf of an account that changes its agents often
AGENTS_PER_ACCOUNT = 4  # one unnamed and three named, as Hyperliquid has it
BUILDERS_PER_ACCOUNT = 10  # approved at the same time
WITHDRAWALS_WAITING_MAX = (
    2_048  # paid by eight EVM batches; every batch encodes those that wait, in some 5 ms
)

# Inclusion (D5)
NONCES_PER_SIGNER = 100  # the highest are kept, as on Hyperliquid, so that parallel orders need no queue
NONCE_PAST_MS = 2 * 86_400_000  # a nonce is a time in ms: no older than two days
NONCE_FUTURE_MS = 86_400_000  # and no more than a day ahead, which forgives wrong clocks
ACCOUNT_ACTIONS_PER_BATCH = 256  # of one account in one batch of 250 ms
ACCOUNT_BYTES_PER_BATCH = 262_144  # four full actions
CREDIT_DEBT_MAX = 100  # credits that cancels which find nothing may cost beyond the allowance
CREDIT_GRANT = 100  # credits of an account that opens; those of genesis have the network's
CREDIT_PRICE = 1_000  # micro-quote of exchange fees paid for one more credit: 1,000 orders a quote unit
CREDIT_REFILL_MS = 10_000  # one more credit for so much of an account's age
CREDIT_EQUITY = 100_000_000  # micro-quote: with so much equity there is one more credit each second,
CREDIT_REFILL_MAX = 10_000  # while fewer credits than so many are left

# Prices and funding (batch time in ms)
ORACLE_FRESH_MS = 20_000  # an older report does not count; seven missed reports of 3 s
ORACLE_AHEAD_MS = 2_000  # how far a reporter's clock may lead the batch
ORACLE_RISK_MS = 6_000  # an older price allows no new risk; two report rounds
JUMP_WINDOW_MS = 6_000  # a jump of the oracle waits at most so long to be confirmed; two report rounds
SAMPLE_MS = 5_000  # a batch's quotes count for at most so long, so that a gap does not outweigh what follows
FUNDING_WEIGHED_MIN_MS = 1_800_000  # an hour that was sampled for less than half of it pays nothing
FUNDING_BOOKED_PER_BATCH = 1_024  # positions: about 15 ms; 15 million in an hour of batches of 250 ms

# Liquidation and debts
LIQUIDATION_COOLDOWN_MS = 30_000  # between partial liquidations of an account
LIQUIDATIONS_PER_TURN = 64  # accounts with an order in the book
LIQUIDATION_TURNS_PER_BATCH = 8  # after each of which the book is examined again
LIQUIDATION_TURNS_BY_NEED = 4  # of these; in the others the order is drawn, so that no group takes all places
DELEVERAGED_PER_BATCH = 512  # accounts closed against others for what margin is left: about 100 ms
CLOSES_PER_BATCH = 1_024  # of these and the locked, against one counterparty each: about 100 ms
CLOSES_BY_RANK = 512  # of these; for the others the largest holders come first
RANKED_PER_SIDE = 4_096  # largest holders among whom those closes go: more than closes; about 20 ms
LEVIED_AT_ONCE = 4_096  # largest winners of a market who pay for its debts before any others: about 300 ms
LEVY_LEAST = 10_000  # micro-quote: one winner is charged for each so much of a debt
LOCKED_CLOSED_PER_BATCH = 512  # accounts whose debts others paid; further ones wait, locked: about 100 ms

# Scheduled (batch time in ms)
FEE_TURNS_PER_BATCH = 512  # accounts whose day's fee tier is chosen: a million in eight minutes
CANCELS_FIRED_PER_DAY = 10  # scheduleCancel, as Hyperliquid has it
CANCELS_FIRED_PER_BATCH = 256  # accounts: about 15 ms; what is due beyond fires in the next batches
CANCELS_DUE_SEEN_PER_BATCH = 1_024  # accounts, of those with many orders that wait as well: about 10 ms
# Orders, of accounts in liquidation, and of scheduled cancels; the last one's beyond: some 60 ms.
CANCELLED_WHOLE_PER_BATCH = 16_384
SWEPT_PER_BATCH = (
    65_536  # orders that cancelAllByMarket cancels beyond the bound above, where it finds no more than
)
SWEPT_AT_ONCE_MAX = 128  # this many; beyond both, of those with few
FIRED_WITH_FEW = 32  # orders: a scheduled cancel of so few fires beyond that bound too
SCHEDULE_AHEAD_MS = 5_000  # scheduleCancel must lie so far ahead
