"""Certified batches: executed, and compared with the results that the federation signed.

Followers, restarts, blocks of other nodes and the verification of a whole chain use this. A leader does not: it
certifies what it executed itself.
"""

from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.consensus.federation import check_certified
from coinone.rules.ledger.batch import CertifiedBatch


class ResultsDiffer(AssertionError):
    """A quorum, or for a block the member that sealed it, signed other results than this node's: one side is wrong, and
    continuing would hide which."""


def apply_certified(chain: ChainState, certified: CertifiedBatch) -> BatchResult:
    """Check and execute the next batch.

    Raises InvalidBatch if it is not certified or breaks a rule, ResultsDiffer if its results differ here; after any
    exception nothing has changed.
    """
    check_certified(certified, chain.network.chain_id, chain.federation)
    result = apply_batch(chain, certified.batch)
    if result.digest != certified.certificate.results:
        undo_batch(chain)
        raise ResultsDiffer(f"batch {certified.batch.seq} gives other results than were certified")
    return result
