"""Limits of the node, with why each is that number: what is queued, kept and looked through.

They tune one node and may differ from node to node; a queue, depth or retry that has no line in a `limits.py` is a bug.
What all nodes must have alike is a parameter (`base/primitives/parameters.py`).
"""

# Executor
EXECUTOR_JOBS_MAX = 10_000  # closures waiting for the executor; beyond, callers are told to come back
ACTION_REPLIES_MAX = 8  # who may wait for the outcome of one action: its sender, trying again
BARRED_OF_SIGNER_MAX = 256  # refused actions remembered of one signer
BARRED_SIGNERS_MAX = 4_096  # signers of whom some are remembered: about 130 MB if all are full
BARRED_OF_STRANGERS_MAX = 262_144  # of signers without an account, together: about 30 MB
INTAKE_PER_VISIT = 256  # Ethereum transactions put into the pool at once: about 8 ms of the executor
INTAKE_WAITING_MAX = 10_000  # beyond, senders are told to come back
SIGNERS_POOL_LEAST = 32  # signatures that are worth a job for another process: 2 ms against half of one
SIGNERS_POOL_PROCESSES_MAX = 4  # 20,000 signatures a second each; more than a node can execute
ORACLE_REPORTS_OF_REPORTER_MAX = 4  # waiting for a batch, the newest: prices may come by parts of the markets

# Roles
SEAL_SLICE_MS = 15  # of sealing between two batches: with the step under way, fewer than the 20 of D7
SOLVENCY_CHECK_BLOCKS = 30  # blocks between full sums over all accounts: about a minute on dev
HEALTH_INTERVALS_MAX = 40  # of batches without one, 10 s on dev; then a node does not call itself well

# Views
VIEW_LEVELS_MAX = 1_000  # price levels a side that a view copies: fifty times what the API shows at once
SUBSCRIPTION_BATCHES_MAX = 256  # batches a subscriber may lag: about a minute

# Storage
MAP_MIB = 64 * 1024  # most that the database may grow to: address space, not disk
LOG_FILE_BYTES = 8 * 1024 * 1024  # a batch log file closes at this size: read whole, dropped whole
ARCHIVE_SCAN_ROWS_MAX = 100_000  # of one range at an older block: a second of look-ups
UNDO_BLOCKS_MAX = 256  # blocks that can be taken back; checkpoints come every 30
SCRUB_AT_START_ROWS_MAX = 1_000_000  # rows of state read through before a node starts: some seconds

# History
HISTORY_PER_ANSWER_MAX = 2000  # fills, trades or payments in one answer, as the field's API gives
# Rows of an answer that must have all of a time: more than the fills of an account that others can make in one batch,
# 48,000 orders of 41 bytes and a thousand of its own; 17 MB of JSON.
HISTORY_WHOLE_ANSWER_MAX = 50_000
CANDLES_PER_ANSWER_MAX = 5000  # as above
# Events of a batch whose rows are made at once, some 80 ms; of more when asked for.
HISTORY_PREPARED_MAX = 16_384
ENDED_ORDERS_KEPT = 2_000_000  # order ids back from the newest: about 1 GB at most
TRADES_KEPT = 10_000_000  # trade ids back from the newest, with both fills of each: about 5 GB at most
CANDLES_KEPT = 260_000  # of each market and stored interval: half a year of minutes
HISTORY_KEPT_MS = 366 * 86_400_000  # funding paid, funding rates and ledger entries: a fiscal year
HISTORY_PRUNED_PER_ROW = 4  # old rows that go with a new one: more, so that a lowered bound is reached
ENDED_ORDERS_PRUNED_PER_BLOCK = 10_000  # of those beyond the number kept; more than blocks end on the average

# Development
DEV_SNAPSHOTS_MAX = 1_000  # evm_snapshot marks that are remembered
