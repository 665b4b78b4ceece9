"""Limits of the public interface, each with its reason: they protect a node from its clients."""

# HTTP
HEADER_BYTES_MAX = 32 * 1024  # browsers send up to 8 KiB of cookies per host; four times that
HEADER_DEADLINE_S = 10.0  # the longest that a silent or byte-at-a-time client may hold a socket
BODY_DEADLINE_S = 30.0  # 1 MiB at 35 kB/s
WRITE_STALL_S = 30.0  # how long a reader may be behind before its rate is checked, and then again
WRITE_PER_S_MIN = (
    16 * 1024
)  # bytes, of a reader behind for longer: the slowest mobile lines; 25 MiB in 27 minutes
SLOW_READERS_BYTES_MAX = (
    512 * 1024 * 1024
)  # that wait for all slow readers, beyond which none may be slow for longer
BODY_BYTES_MAX = 1024 * 1024  # an Ethereum transaction is at most 128 KiB; 1,000 orders are 150 kB
BODY_SMALL_BYTES = (
    32 * 1024
)  # which the server passes in one or two pieces; a larger one is kept in a separate block
READ_HEAD_BYTES = 2048  # read in one piece where requests begin: fifty of the shortest, 2 ms
READ_BODY_BYTES = 8 * 1024  # and of a body: 1,400 chunks of a byte each, 1 ms
CONNECTIONS_MAX = 4096  # of all listeners; two descriptors each are far below a raised limit
CONNECTIONS_PER_LOOPBACK_MAX = 2500  # every local bot and page shares 127.0.0.1
CONNECTIONS_PER_ADDRESS_MAX = 64  # a browser opens six; of IPv6 a /64
CONNECTIONS_PER_SITE_MAX = 1024  # of an IPv6 /48, which one customer may have, or share with many
CONNECTIONS_KEPT = 256  # reserved for this machine: its operator is answered when clients hold the rest

REQUEST_WEIGHT_PER_MINUTE = 1200  # of an address, as at Hyperliquid
LOOPBACK_WEIGHT_PER_MINUTE = 12_000_000  # 10,000 histories a second: more than a core can answer
PURSES_MAX = 100_000  # number of addresses kept
# Unread bytes of answers beyond which an address is refused: fifty whole histories, or two of the largest explorer
# pages.
UNREAD_BYTES_MAX = 32 * 1024 * 1024
UNREAD_LOOPBACK_BYTES_MAX = 1024**3  # every local bot and page shares 127.0.0.1
# Of all clients beyond this machine; above it the largest holder is cut off. As for slow readers.
UNREAD_STRANGERS_BYTES_MAX = 512 * 1024 * 1024
UNREAD_PER_SITE_BYTES_MAX = 128 * 1024 * 1024  # of an IPv6 /48: a quarter, as for connections
# malloc's threshold for mmap: larger blocks of memory are separate mappings, which are returned to the system when they
# are freed. A smaller one lies in the heap, which keeps it. A transport's copy of an answer of 10 MB takes 6 to 7.5 MB,
# a body at most 1 MiB; batches allocate no new blocks of this size.
LARGE_BLOCK_BYTES = 256 * 1024

# JSON
# Lists and objects of a body; 1,000 orders have 3,000, a batch of 1,000 calls as many.
JSON_BRACKETS_MAX = 16_384
JSON_PARTS_MAX = 65_536  # commas, colons and escapes of a body, or strings; 1,000 orders have 20,000
JSON_DEPTH_MAX = 24  # the deepest valid request (multi-sig around a batch of orders) nests 9
JSON_INTEGER_DIGITS_MAX = 78  # 2^256 has 78 digits

# Health
BATCHES_BEHIND_MAX = 20  # published and not yet sent to clients: 5 s on dev; then the node is not healthy

# Reads off the event loop
PART_S = 0.005  # of a long one, before others have their turn

# JSON-RPC
RPC_BATCH_MAX = 1000  # ethers and viem batch at most 1,000
RPC_ANSWER_BYTES_MAX = 25 * 1024 * 1024  # of a whole batch answer; geth's default
LOG_RANGE_MAX = 10_000  # blocks per eth_getLogs, as at other RPC providers
LOG_RESULTS_MAX = 10_000  # logs per answer
# Bytes of a block's transactions and logs; larger ones are decoded off the event loop.
RECORDS_AT_ONCE_MAX = 64 * 1024
STORAGE_SLOTS_MAX = 1024  # of an eth_getProof or eth_getStorageValues: 30 ms; geth's
SLOTS_AT_ONCE_MAX = 16  # more are read off the event loop: 30 us each with a proof
FEE_HISTORY_MAX = 1024  # blocks; geth's
# Of raw transactions in one answer of a filter or of the pool: some 10 MiB as JSON.
PENDING_BYTES_MAX = 4 * 1024 * 1024
# Of blocks' records that one answer of a filter scans for transactions: 0.2 s.
PENDING_BLOCKS_BYTES_MAX = 64 * 1024 * 1024
FILTERS_MAX = 1000  # open eth_newFilter objects of a node
FILTERS_PER_SENDER_MAX = 100  # of them per address; beyond FILTERS_MAX, the largest holder loses one
FILTERS_PER_SITE_MAX = 250  # of an IPv6 /48: a quarter, as for connections
FILTER_IDLE_S = 300.0  # geth drops a filter not polled for 5 minutes
CALL_GAS_MAX = 50_000_000  # geth's default RPC gas cap
CALL_TIMEOUT_S = 5.0  # geth's default time limit of a call or trace, or of a block's traces together
CALL_QUICK_S = 0.025  # before a call restarts in the process for long ones: several times what most take
CALL_OVERRUN_S = 5.0  # how long a call may exceed its time limit before its process is ended
CALL_MEMORY_MAX = 2 * 1024**3  # bytes of a process for calls: a trace of 5 s is some 500 MB
PRECOMPILE_GAS_PER_S = 5_000_000  # half of what the slowest precompiled contract does (docs/benchmarks.md)
TRACE_EXCHANGE_ROWS_MAX = 50_000  # accounts and orders of an exchange that a trace replays: 1 s of its 5
OVERRIDES_MAX = 1000  # accounts, and slots of one, that a trial may override
CALLS_WAITING_MAX = 256  # calls queued for a process
CALLS_PER_SENDER_MAX = 64  # of them per address; a page sends some dozen together
POOL_SHOWN_MAX = 5000  # transactions in a txpool_content or txpool_inspect answer: 0.3 s, some 5 MB
SYNCED_WITHIN = 2  # blocks that a node may lag behind the nodes it follows and not report syncing
SYNC_TIMEOUT_S = 20.0  # default wait of eth_sendRawTransactionSync; geth's
SYNC_TIMEOUT_MAX_S = 60.0  # and its maximum; geth's
SYNC_WAITS_MAX = 1024  # callers that wait concurrently: a future each
SYNC_WAITS_PER_SENDER_MAX = 64  # of them per address; beyond SYNC_WAITS_MAX, the largest holder loses one
SYNC_WAITS_PER_SITE_MAX = 256  # of an IPv6 /48: a quarter, as for connections
RPC_SUBSCRIPTIONS_MAX = 100  # eth_subscribe per connection
# Addresses and topics of a sender's subscriptions, or of its filters: 0.6 MB. A subscription without any counts as one.
RPC_FILTER_ENTRIES_MAX = 5000
RPC_FILTER_ENTRIES_PER_SITE_MAX = 20_000  # of an IPv6 /48
RPC_STREAMS_PER_SENDER_MAX = 128  # of newHeads and pending transactions: one of each on 64 connections
RPC_STREAMS_PER_SITE_MAX = 512  # of an IPv6 /48
PENDING_NEWS_MANY = 256  # transactions that came while others were being sent: 2.5 s of a hundred a second
PENDING_NEWS_WAIT_S = 2.5  # how long so many may wait before subscribers that lag are cut
PENDING_NEWS_ROUND_S = 0.25  # of sending; then sites with the fewest subscriptions get newer ones first
PENDING_NEWS_WAITING_MAX = 8192  # however short: 2.5 s of 3,000 a second, more than a node accepts
PENDING_NEWS_BYTES_MAX = 32 * 1024 * 1024  # of them: 250 of the largest
HEAD_NEWS_ROUND_S = 0.25  # of sending blocks; then sites with the fewest subscriptions get newer ones first
HEAD_NEWS_WAITING_MAX = 64  # unsent blocks of a subscriber: two minutes on dev
HEAD_NEWS_WAIT_S = 2.5  # how long so many may wait before it is cut
LOG_BLOCKS_WAITING_MAX = 8  # blocks whose logs are not sent yet: 16 s on dev, at worst about 100 MB
RPC_CALLS_IN_FLIGHT_MAX = 32  # per WebSocket connection; then reading pauses
TIME_TRAVEL_MAX_S = 100 * 366 * 86_400  # a century: evm_increaseTime is for tests, not for overflow

# Reads on the executor
QUERY_VISIT_S = 0.004  # then the executor checks whether a batch is due
QUERIES_PER_VISIT = 64  # 64 account summaries take about 2 ms, a hundredth of a batch interval
QUERIES_WAITING_MAX = 4096  # as many as connections
READS_PER_SENDER_MAX = 256  # of them per address, and of its histories: two connections' posts

# Explorer
EXPLORER_STREAM_TRANSACTIONS_MAX = 100  # of a batch, sent to explorerTxs: about 5 ms of recovered signatures
EXPLORER_BATCHES_WAITING_MAX = 240  # not yet sent to the explorer's streams: a minute on dev
RECENT_TRANSACTIONS_MAX = 50_000  # 50 batches of a thousand actions: several times the content of a block
# Of them with their answers: each may hold the rows of a whole segment, 100 KB of them.
RECENT_ANSWERS_MAX = 2_000

# Exchange
# Bytes of an action: 170 orders. Larger ones in an unusual spelling are read off the event loop: 2 ms.
ACTION_READ_AT_ONCE_MAX = 8 * 1024
ACTION_BODY_AT_ONCE_MAX = 16 * 1024  # bytes of its body, likewise
INFO_ROWS_MAX = 2000  # rows of a history answer, as at Hyperliquid
CANDLES_MAX = 5000  # candles per snapshot, as at Hyperliquid
FUNDING_RATES_MAX = 500  # rows of fundingHistory, as at Hyperliquid
BOOK_LEVELS_MAX = 20  # levels per side of l2Book, as at Hyperliquid

# WebSocket
WS_MESSAGE_BYTES_MAX = 256 * 1024  # an action with 1,000 orders sent by post
# Of a message that is read though its address has used up its weight, as a ping may be: 60 us for 4 KiB of lists,
# 13 % of the event loop for 64 connections that send nothing else. As much of an unreadable message is repeated.
WS_SMALL_BYTES = 4 * 1024
WS_SUBSCRIPTIONS_MAX = 1000  # per connection, as at Hyperliquid
WS_MESSAGES_PER_MINUTE = 2000  # per connection, as at Hyperliquid
# Pings, pongs and pieces of messages; the largest message in pieces of 132 bytes.
WS_SMALL_FRAMES_PER_MINUTE = 2000
WS_FRAMES_AT_ONCE = 16  # read before others have their turn: 25 us each; above it, pieces get smaller
WS_READ_BYTES_MIN = 128  # 21 of the shortest frames
WS_READ_BYTES_MAX = 16 * 1024  # a message of 256 KiB in sixteen pieces
WS_POSTS_MAX = 100  # in flight per connection, as at Hyperliquid
WS_POSTS_AT_ONCE = 16  # of them read and answered; the others wait unread until answers are taken
WS_WRITE_BYTES = 16 * 1024  # of short messages written together: about sixty transactions of the pool
WS_PING_S = 20.0  # between an answered ping and the next; uvicorn's
WS_PONG_S = 20.0  # to answer a ping, from its receipt
WS_BUFFER_BYTES_MAX = 2 * 1024 * 1024  # unsent bytes of a slow reader before it is closed
# Accounts whose state (openOrders, webData2 ...) is sent to one address: as many as a connection has subscriptions.
# Each is read once a second, about 0.1 ms.
WS_WATCHED_PER_SENDER_MAX = 1000
WS_WATCHED_PER_SITE_MAX = 4000  # of an IPv6 /48: four times, as for streams
WS_WATCHED_FEW = (
    10  # of a site; as many as Hyperliquid allows per address: sent each second, even if others are late
)
WS_STATES_WAIT_S = 0.05  # how long market streams wait for account state streams in a batch
WS_SNAPSHOT_BYTES_PER_WEIGHT = 16 * 1024  # of a new subscriber's first messages: making them takes half a ms
WS_ROWS_PER_TURN = 256  # fills or orders encoded as JSON before others have a turn: about 3 ms
