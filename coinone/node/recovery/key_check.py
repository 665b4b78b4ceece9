"""Check a node's keys against its chain: with other keys it would silently make no batches or report no prices.

A federation member needs the secret from which its term's seeds are derived. On dev it is also the reporter. A node
that is not a member can only follow.
"""

from pathlib import Path

from coinone.base.primitives.errors import StorageError
from coinone.node.keys import FEDERATION, REPORTER, SEEDS, Secrets, key_file
from coinone.protocols.sequencer.changing import seed_chain
from coinone.rules.chain.state import ChainState


def check_keys(chain: ChainState, secrets: Secrets, data_dir: Path, must_lead: bool) -> None:
    """Raise StorageError naming the key file that does not belong to this chain."""
    if secrets.member in chain.federation.members:
        _check_member(chain, secrets, data_dir)
    elif must_lead:
        raise StorageError(
            f"key file {key_file(data_dir, FEDERATION)} is of no member of this chain, and no node to follow is named: "
            "this one would make no batches and get none. Restore the file, or follow with "
            "`coinone node --follow HOST:PORT`, or start with a fresh data folder"
        )


def _check_member(chain: ChainState, secrets: Secrets, data_dir: Path) -> None:
    if not _has_seeds(chain, secrets):
        raise _foreign(data_dir, SEEDS)
    if chain.network.is_dev and secrets.reporter_address not in chain.genesis.reporters:
        raise _foreign(data_dir, REPORTER)


def _has_seeds(chain: ChainState, secrets: Secrets) -> bool:
    """Whether the seeds of the current term derive from this node's secret; true if another member leads it."""
    term, federation, length = chain.cursor.term, chain.federation, chain.network.seed_length
    if federation.members[federation.leader(term.number)] != secrets.member:
        return True
    return seed_chain(secrets.seeds, term.number, length)[length - term.seeds_left] == term.seed


def _foreign(data_dir: Path, name: str) -> StorageError:
    return StorageError(
        f"key file {key_file(data_dir, name)} is not the one that this chain was begun with: restore it, or start "
        "with a fresh data folder"
    )
