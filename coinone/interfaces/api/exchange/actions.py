"""POST /exchange: a signed action becomes a transaction, and the batch's answer goes back.

The interface relays. It cannot forge an action, and it judges only what saves the chain work. JSON does not
say under which source a client signed, so each source the network knows is tried; the right one is the one
whose signer exists. Clients sign the same source every time, so the last one that fitted is tried first.
Recovering a signer is the dearest step of an order, so what was verified here goes on as it is. What the action
says is read once for all its sources.
"""

from collections import OrderedDict
from typing import Any

from coinone.base.primitives.errors import InvalidInput, InvalidSignature
from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.queries import InThread, Queries
from coinone.interfaces.api.exchange.json.events import Json, hex_address, hex_hash
from coinone.interfaces.api.limits import ACTION_BODY_AT_ONCE_MAX
from coinone.node.node import ChainReader, Node
from coinone.rules.exchange.actions.from_json import envelopes_from_json, packed_quickly
from coinone.rules.exchange.actions.verify import LastRead, verify_raw
from coinone.rules.exchange.wire import ActionEnvelope, L1Envelope, encode_envelope
from coinone.rules.exchange.wire.types import VerifiedAction

KNOWN_SIGNERS_MAX = 100_000  # addresses remembered as existing; the chain checks again anyway


class Relay:
    """Turns request bodies into answers of `node`."""

    def __init__(self, node: Node, queries: Queries[ChainReader], in_thread: InThread) -> None:
        self._node = node
        self._queries = queries
        self._in_thread = in_thread
        self._rules = node.domain_rules
        self._known: OrderedDict[Address, None] = OrderedDict()
        self._last_fit = 0

    async def act(self, body: Any, size: int) -> Json:
        """The answer object of one action that came in `size` bytes; the sender's errors are answers too, as at the
        anchor."""
        try:
            outcome = await self._node.submit_verified(*await self._choose(*await self._read(body, size)))
        except InvalidInput as error:
            return {"status": "err", "response": str(error)}
        if outcome.status != "executed":
            return {"status": "err", "response": outcome.error or outcome.status}
        # `receipt` is ours: which batch answered, and how final that is.
        receipt = {"hash": hex_hash(outcome.tx_hash), "batch": outcome.seq, "time": outcome.time_ms}
        return {"status": "ok", "response": outcome.response, "receipt": {**receipt, "tier": "preconfirmed"}}

    async def _read(self, body: Any, size: int) -> tuple[list[ActionEnvelope], LastRead]:
        """The candidates of a body; of a large one that is not in the common spelling, packed and read beside the event
        loop: 30 ms. What its sender posts meanwhile may overtake it. Raises InvalidInput."""
        action = body.get("action") if isinstance(body, dict) else None
        if size <= ACTION_BODY_AT_ONCE_MAX or packed_quickly(action) is not None:
            return envelopes_from_json(body, self._rules), LastRead()

        def read() -> tuple[list[ActionEnvelope], LastRead]:
            candidates, last = envelopes_from_json(body, self._rules), LastRead()
            if isinstance(candidates[0], L1Envelope):
                last.read(candidates[0].action)
            return candidates, last

        return await self._in_thread(read)

    async def _choose(self, candidates: list[ActionEnvelope], last: LastRead) -> tuple[bytes, VerifiedAction]:
        """The candidate whose signer the chain knows, as bytes and as what they say. Raises InvalidInput;
        InvalidSignature in the anchor's words."""
        if len(candidates) == 1:
            return self._verified(candidates[0])
        order = sorted(range(len(candidates)), key=lambda place: place != self._last_fit)
        tried: dict[int, tuple[bytes, VerifiedAction]] = {}
        for place in order:
            tried[place] = self._verified(candidates[place], last)
            if tried[place][1].signer in self._known:
                return self._fit(place, tried[place])
        asked = [action.signer for _, action in tried.values()]
        answers = await self._queries.run(
            lambda reader: [reader.exchange.knows(signer) for signer in asked], first=True
        )
        for place, known in zip(tried, answers, strict=True):
            if known:
                return self._fit(place, tried[place])
        self._node.bar([action for _, action in tried.values()])
        signer = tried[self._last_fit][1].signer
        raise InvalidSignature(f"User or API Wallet {hex_address(signer)} does not exist.")

    def _verified(
        self, envelope: ActionEnvelope, last: LastRead | None = None
    ) -> tuple[bytes, VerifiedAction]:
        """Decoded from the very bytes that go into the batch, so that both say the same."""
        raw = encode_envelope(envelope)
        return raw, verify_raw(raw, self._rules, last)

    def _fit(self, place: int, chosen: tuple[bytes, VerifiedAction]) -> tuple[bytes, VerifiedAction]:
        self._last_fit = place
        signer = chosen[1].signer
        self._known[signer] = None
        self._known.move_to_end(signer)
        if len(self._known) > KNOWN_SIGNERS_MAX:
            self._known.popitem(last=False)
        return chosen
