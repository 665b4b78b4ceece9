"""Limits of the node's queues, retention and scans, each with its reason.

They tune one node and may differ between nodes; a queue, depth or retry without a line in a `limits.py` is a bug.
Values that all nodes must share are parameters (`base/primitives/parameters.py`).
"""

# Executor
EXECUTOR_JOBS_MAX = 10_000  # closures waiting for the executor; beyond this, callers are asked to retry later
ACTION_REPLIES_MAX = 8  # callers that may wait for the outcome of one action: its sender, retrying
BARRED_OF_SIGNER_MAX = 256  # remembered refused actions of one signer
BARRED_SIGNERS_MAX = 4_096  # signers with remembered refusals: about 130 MB if all are full
BARRED_OF_STRANGERS_MAX = 262_144  # of all signers without an account, together: about 30 MB
INTAKE_PER_VISIT = 256  # Ethereum transactions added to the pool per visit: about 8 ms of the executor
INTAKE_WAITING_MAX = 10_000  # beyond this, senders are asked to retry later
SIGNERS_POOL_LEAST = 32  # signatures that justify a job for another process: 2 ms against half of one
SIGNERS_POOL_PROCESSES_MAX = 4  # 20,000 signatures a second each; more than a node can execute
ORACLE_REPORTS_OF_REPORTER_MAX = 4  # waiting for a batch, the newest: each may cover some markets only

# Roles
SEAL_SLICE_MS = 15  # of sealing between two batches: with the step in progress, below the 20 of D7
SOLVENCY_CHECK_BLOCKS = 30  # blocks between full sums over all accounts: about a minute on dev
HEALTH_INTERVALS_MAX = 40  # batch intervals without a batch, 10 s on dev; then a node reports "late"

# Views
VIEW_LEVELS_MAX = 1_000  # price levels per side that a view copies: fifty times an API answer
SUBSCRIPTION_BATCHES_MAX = 256  # batches a subscriber may lag: about a minute

# Storage
MAP_MIB = 64 * 1024  # maximum size of the database: address space, not disk
LOG_FILE_BYTES = 8 * 1024 * 1024  # size of a batch log file: files are read and deleted whole
ARCHIVE_SCAN_ROWS_MAX = 100_000  # of one range at an older block: a second of look-ups
UNDO_BLOCKS_MAX = 256  # blocks that can be undone; checkpoints come every 30
SCRUB_AT_START_ROWS_MAX = 1_000_000  # rows of state read before a node starts: some seconds

# History
HISTORY_PER_ANSWER_MAX = 2000  # fills, trades or payments in one answer, as in Hyperliquid's API
# Rows of an answer that must include all rows of one time: more than the fills of an account that others can make in
# one batch, 48,000 orders of 41 bytes and a thousand of its own; 17 MB of JSON.
HISTORY_WHOLE_ANSWER_MAX = 50_000
CANDLES_PER_ANSWER_MAX = 5000  # as in Hyperliquid's API
# Events of a batch whose rows are prepared immediately, about 80 ms; the rest are prepared on request.
HISTORY_PREPARED_MAX = 16_384
ENDED_ORDERS_KEPT = 2_000_000  # order ids back from the newest: about 1 GB at most
TRADES_KEPT = 10_000_000  # trade ids back from the newest, with both fills of each: at most about 5 GB
CANDLES_KEPT = 260_000  # of each market and stored interval: half a year of minutes
HISTORY_KEPT_MS = 366 * 86_400_000  # funding paid, funding rates and ledger entries: a fiscal year
HISTORY_PRUNED_PER_ROW = 4  # old rows deleted per new row: more than one, so that a lowered bound is reached
ENDED_ORDERS_PRUNED_PER_BLOCK = 10_000  # of those beyond the number kept; more than blocks end on average

# One of several members
READS_HELD_S = 1.0  # while votes are missing; then they are answered: without a quorum reads remain
FORWARDS_PER_TICK_MAX = (
    1_024  # waiting actions that are sent to the leader again, or refused, in a tick: some 5 ms
)
FORWARD_BYTES_PER_TICK = 1_000_000  # Ethereum transactions sent again, in bytes

# Development
DEV_SNAPSHOTS_MAX = 1_000  # evm_snapshot ids that are kept
