"""Limits of the messages between members, with why each is that number: what one member may cost another."""

TICK_INTERVAL_MS = (
    300  # between two reports of progress: about a batch interval, and a message is missed no longer
)
# An answer to a report, of which a peer gets one in a tick: 53 batches and 1.7 MB a second, some ten times what a
# chain of small batches makes, and four times one of 100 KB batches.
CATCH_UP_BATCHES_MAX = 16
CATCH_UP_BYTES_MAX = 500_000  # unless the first batch alone is larger
MEMBER_MESSAGE_ITEMS_MAX = 16  # RLP items of a message without a batch: a signed vote has 9
