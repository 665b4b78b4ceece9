"""The mode of a block: the federation orders transactions (A), or the blocks do (B) (D1).

The mode of a block follows from the state at its parent and from its ancestors' headers, so nobody votes on it
and no two nodes can differ. Without members there is no mode A; and a federation that certified nothing for 60
blocks counts as silent, whatever the reason. Certified batches that no block included by then are void on that
branch.
"""

from collections.abc import Callable

from coinone.base.primitives.errors import NotSupported
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.header import Header

EMPTY_BLOCKS_MAX = 60  # ten minutes of blocks without a batch


def is_mode_b(federation: Federation, parent: Header, header_of: Callable[[int], Header | None]) -> bool:
    """Whether the block after `parent` orders its transactions itself."""
    return not federation.members or empty_blocks(parent, header_of) >= EMPTY_BLOCKS_MAX


def empty_blocks(parent: Header, header_of: Callable[[int], Header | None]) -> int:
    """The number of blocks without batches up to and including `parent`, counted to the maximum."""
    header = parent
    for count in range(EMPTY_BLOCKS_MAX):
        earlier = header_of(header.number - 1) if header.number else None
        if earlier is None or earlier.batch_seq != parent.batch_seq:
            return count
        header = earlier
    return EMPTY_BLOCKS_MAX


def require_mode_a(federation: Federation, parent: Header, header_of: Callable[[int], Header | None]) -> None:
    """Raise NotSupported if the block after `parent` is of mode B."""
    if not federation.members:
        raise NotSupported("mode B (batches without a federation) is not built yet")
    if is_mode_b(federation, parent, header_of):
        raise NotSupported(
            f"mode B (no batch in {EMPTY_BLOCKS_MAX} blocks) is not built yet: certified batches are void here"
        )
