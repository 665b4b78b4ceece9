"""Limits of the peer protocol, with why each is that number: what one peer may make this node hold or send."""

from coinone.base.primitives.parameters import BATCH_BYTES_MAX

# Incoming peers: a batch of 100 KB to each is 6 MB every 250 ms, as much as one core can send.
PEERS_MAX = 64
RANGE_BYTES_MAX = 4_000_000  # payload of one answer to a range request, unless its first item alone is larger
FRAME_BYTES_MAX = RANGE_BYTES_MAX + BATCH_BYTES_MAX + 65_536  # the largest valid answer
# Between members: a batch with a change of term of 64 votes, each of which proves a prepared batch by 64 signatures
# (64 * 64 * 70 bytes). It fits in a frame.
MEMBER_MESSAGE_BYTES_MAX = BATCH_BYTES_MAX + 524_288
# Open connections of one member: two nodes connect to each other, and the other end of as many may have gone unnoticed.
MEMBER_CONNECTIONS_MAX = 4
# Incoming peers beyond PEERS_MAX that have yet to prove that they are members; with more, the oldest is dropped. An
# honest one takes 0.2 s, and is the oldest only at 320 new connections a second.
PROVING_MAX = 64
HELLO_BYTES_MAX = 65_536  # of a frame before hello: a genesis of 64 members and as many reporters is 4 KB
RANGE_ITEMS_MAX = 256  # batches or blocks in a request: a minute of batches
MESSAGE_ITEMS_MAX = RANGE_ITEMS_MAX + 16  # RLP items of a message, its fields counted: more is not decoded
# RLP items of the batches or blocks in one message, those inside wrapped records counted: 0.05 to 0.2 s to decode.
# The most an honest answer holds is 81,000: 256 batches with 64 signatures each, and 4 MB with these full of payments.
CARRIED_ITEMS_MAX = 98_304
# Batches and blocks from a peer that this node has already, in excess of one for each that it applied meanwhile:
# peers push an item to each other at the same time, and one that catches up may not know how far this node is.
USELESS_ITEMS_MAX = 16_384
AHEAD_ITEMS_MAX = 1_024  # how far beyond the head an item is kept; later ones are requested when needed
AHEAD_BYTES_MAX = 64_000_000  # of all kept items that do not follow the head yet
# From the connection to a peer's hello, which it sends unasked, as its first message: a place is not held without one.
HELLO_TIMEOUT_MS = 5_000
REQUEST_TIMEOUT_MS = 5_000  # then the same range is requested from another peer
# A peer that takes longer may keep a follower behind: one item per answer is as fast as the chain.
SLOW_MS = 250
PING_INTERVAL_MS = 10_000  # silence after which a peer is pinged
SILENCE_MS_MAX = 30_000  # silence after which it is dropped: two unanswered pings
GOODBYE_TEXT_MAX = 200  # bytes of a reason
