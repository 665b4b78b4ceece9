"""Limits of the messages between members, with why each is that number: what one member may cost another."""

from coinone.base.primitives.parameters import BATCH_BYTES_MAX

TICK_INTERVAL_MS = (
    300  # between two reports of progress: about a batch interval, and a message is missed no longer
)
# An answer to a report, of which a peer gets one in a tick: 53 batches and 1.7 MB a second, some ten times what a
# chain of small batches makes, and four times one of 100 KB batches.
CATCH_UP_BATCHES_MAX = 16
CATCH_UP_BYTES_MAX = 500_000  # unless the first batch alone is larger
# A batch with a change of term of 64 votes, each of which proves a prepared batch by 64 signatures: 64 * 64 * 70 bytes.
MEMBER_MESSAGE_BYTES_MAX = BATCH_BYTES_MAX + 524_288
MEMBER_MESSAGE_ITEMS_MAX = 16  # RLP items of a message without a batch: a signed vote has 9
