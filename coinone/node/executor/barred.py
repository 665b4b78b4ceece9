"""Refused actions, which are never accepted again: a refusal is final.

A refused action used no nonce, and anyone who saw its bytes could submit them again later, when credits have grown or
an account has been opened, and have it run although its sender believes that it failed. So its hash is barred here for
as long as a batch could include it. Thread-safe: refusals happen on several threads.

Memory is bounded by forgetting the oldest: of one signer, then of all. Signers without an account, who can be refused
free of charge, have a separate table, so that they cannot displace the refusals of others.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from coinone.base.primitives.errors import InvalidAction
from coinone.base.primitives.types import Address, Hash32
from coinone.node.limits import BARRED_OF_SIGNER_MAX, BARRED_OF_STRANGERS_MAX, BARRED_SIGNERS_MAX


@dataclass(slots=True)
class Barred:
    _strangers: OrderedDict[Hash32, None] = field(default_factory=OrderedDict)
    _by_signer: OrderedDict[Address, OrderedDict[Hash32, None]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, tx_hash: Hash32, signer: Address, is_known: bool) -> None:
        """Bar an action. `is_known`: the signer is an account or an agent."""
        with self._lock:
            if is_known:
                refused = self._by_signer.setdefault(signer, OrderedDict())
                self._by_signer.move_to_end(signer)
                _put(refused, tx_hash, BARRED_OF_SIGNER_MAX)
                if len(self._by_signer) > BARRED_SIGNERS_MAX:
                    self._by_signer.popitem(last=False)
            else:
                _put(self._strangers, tx_hash, BARRED_OF_STRANGERS_MAX)

    def check(self, tx_hash: Hash32, signer: Address) -> None:
        """Raise InvalidAction if the action was refused before."""
        with self._lock:
            if tx_hash in self._strangers or tx_hash in self._by_signer.get(signer, ()):
                raise InvalidAction("refused before, and that is final: sign it again with a new nonce")


def _put(refused: OrderedDict[Hash32, None], tx_hash: Hash32, most: int) -> None:
    refused[tx_hash] = None
    if len(refused) > most:
        refused.popitem(last=False)
