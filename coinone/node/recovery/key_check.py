"""Whether a node's keys are those of its chain: with another one it would stand still, or report no prices, silently.

A member of the federation needs the secret that its term's seeds come from. On dev it is the reporter, too. Whoever
is no member has nothing to do but follow.
"""

from pathlib import Path

from coinone.base.primitives.errors import StorageError
from coinone.node.keys import FEDERATION, REPORTER, SEEDS, Secrets, key_file
from coinone.protocols.sequencer.changing import seed_chain
from coinone.rules.chain.state import ChainState


def check_keys(chain: ChainState, secrets: Secrets, data_dir: Path, must_lead: bool) -> None:
    """Raise StorageError, which names the key file that is not this chain's."""
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
    """Whether the seeds of the running term come from our secret; true if another member leads it."""
    term, federation, length = chain.cursor.term, chain.federation, chain.network.seed_length
    if federation.members[federation.leader(term.number)] != secrets.member:
        return True
    return seed_chain(secrets.seeds, term.number, length)[length - term.seeds_left] == term.seed


def _foreign(data_dir: Path, name: str) -> StorageError:
    return StorageError(
        f"key file {key_file(data_dir, name)} is not the one that this chain was begun with: restore it, or start "
        "with a fresh data folder"
    )
