"""An effect that nobody handles is an error, not silence: mypy finds it, and so does the one who meets it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from coinone.node.executor.core import Core
from coinone.node.network.peers import PeerNetwork
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.storage.storage import open_storage
from coinone.protocols.member.member import Member
from tests.node.network.peer_nodes import identity
from tests.rules.chain.chain_world import NETWORK, SECRETS, START_MS


class Unknown:
    """An effect of a later version."""


def test_a_members_effect_that_nobody_handles_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(tmp_path, identity_of(NETWORK), 2**27)
    core = Core(open_chain(NETWORK, storage, SECRETS, START_MS), storage, SECRETS, lambda published: None)
    propose = Member.propose
    monkeypatch.setattr(Member, "propose", lambda *given: [Unknown(), *propose(*given)])
    with pytest.raises(AssertionError, match="Unknown"):
        core.close_batch(START_MS + 250)
    assert core.chain.cursor.seq == 0 and not storage.log.batches
    storage.close()


def test_a_relays_effect_that_nobody_handles_is_an_error() -> None:
    class Relay:
        def published(self, *given: Any) -> list[Any]:
            return [Unknown()]

    async def publish() -> None:
        network = PeerNetwork(Relay(), None, lambda: 0, identity())  # type: ignore[arg-type]
        with pytest.raises(AssertionError, match="Unknown"):
            network.published(None)  # type: ignore[arg-type]

    asyncio.run(publish())
