"""Applying a batch that the federation certified: executed, and compared with the results that were signed.

Followers, restarts, blocks of others and a whole chain that is verified come through here. A leader does not: it
certifies what it executed itself.
"""

from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.consensus.federation import check_certified
from coinone.rules.ledger.batch import CertifiedBatch


class ResultsDiffer(AssertionError):
    """A quorum vouches for other results than ours: one of us is wrong, and to go on would hide which."""


def apply_certified(chain: ChainState, certified: CertifiedBatch) -> BatchResult:
    """Check and execute the next batch. Raises InvalidBatch if it is not certified or breaks a rule, ResultsDiffer if
    it comes to other results here; whatever it raises, it has changed nothing."""
    check_certified(certified, chain.network.chain_id, chain.federation)
    result = apply_batch(chain, certified.batch)
    if result.digest != certified.certificate.results:
        undo_batch(chain)
        raise ResultsDiffer(f"batch {certified.batch.seq} gives other results than were certified")
    return result
