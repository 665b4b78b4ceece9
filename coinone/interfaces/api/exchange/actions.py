"""POST /exchange: submit a signed action as a transaction, and return the batch's answer.

The interface relays: it cannot forge an action, and it checks only what saves the chain work. JSON does not name the
source under which a client signed, so each source the network knows is tried; the right one is the one whose signer
exists. Clients sign the same source every time, so the last one that matched is tried first. Recovering a signer is the
most expensive step of an order, so it is left to the node, which recovers many together. The action's content is read
once for all its sources.
"""

from typing import Any

from coinone.base.primitives.errors import InvalidInput, InvalidSignature
from coinone.interfaces.api.admission.queries import InThread
from coinone.interfaces.api.exchange.json.events import Json, hex_address, hex_hash
from coinone.interfaces.api.limits import ACTION_BODY_AT_ONCE_MAX
from coinone.node.executor.executor import Overloaded
from coinone.node.node import Node
from coinone.node.views.published import BatchOutcome
from coinone.rules.exchange.actions.from_json import envelopes_from_json, packed_quickly
from coinone.rules.exchange.actions.verify import LastRead, SignedAction, read_raw
from coinone.rules.exchange.wire import ActionEnvelope, L1Envelope, encode_envelope


class ActionHandler:
    """Submits request bodies to `node` and returns their answers."""

    def __init__(self, node: Node, in_thread: InThread) -> None:
        self._node = node
        self._in_thread = in_thread
        self._rules = node.domain_rules
        self._last_fit = 0

    async def act(self, body: Any, size: int) -> Json:
        """The answer object of one action of `size` bytes; the sender's errors are answers too, as at Hyperliquid."""
        try:
            outcome = await self._submit(*await self._read(body, size))
        except InvalidInput as error:
            return {"status": "err", "response": str(error)}
        if outcome.status != "executed":
            return {"status": "err", "response": outcome.error or outcome.status}
        # `receipt` is Coinone's: which batch answered, and how final that is.
        receipt = {"hash": hex_hash(outcome.tx_hash), "batch": outcome.seq, "time": outcome.time_ms}
        return {"status": "ok", "response": outcome.response, "receipt": {**receipt, "tier": "preconfirmed"}}

    async def _read(self, body: Any, size: int) -> tuple[list[ActionEnvelope], LastRead]:
        """The candidates of a body; a large one in an unusual spelling is packed and read off the event loop: 30 ms.
        Later posts of its sender may overtake it. Raises InvalidInput."""
        action = body.get("action") if isinstance(body, dict) else None
        if size <= ACTION_BODY_AT_ONCE_MAX or packed_quickly(action) is not None:
            return envelopes_from_json(body, self._rules), LastRead()

        def read() -> tuple[list[ActionEnvelope], LastRead]:
            candidates, last = envelopes_from_json(body, self._rules), LastRead()
            if isinstance(candidates[0], L1Envelope):
                last.read(candidates[0].action)
            return candidates, last

        return await self._in_thread(read)

    async def _submit(self, candidates: list[ActionEnvelope], last: LastRead) -> BatchOutcome:
        """Run the candidate whose signer the chain knows. Raises InvalidInput; InvalidSignature with Hyperliquid's
        wording."""
        if len(candidates) == 1:
            return await self._node.submit_signed(self._signed(candidates[0], last))
        likely, others = (
            self._last_fit,
            [place for place in range(len(candidates)) if place != self._last_fit],
        )
        first = self._signed(candidates[likely], last)
        try:
            found = await self._node.submit_known([first])
        except Overloaded:  # whichever of them is valid, it was refused
            self._node.bar([self._signed(candidates[place], last) for place in others])
            raise
        if found is not None:
            return found[1]
        rest = [self._signed(candidates[place], last) for place in others]
        found = await self._node.submit_known(rest)
        if found is not None:
            self._last_fit = others[found[0]]
            return found[1]
        self._node.bar([first, *rest])
        raise InvalidSignature(f"User or API Wallet {hex_address(first.sender)} does not exist.")

    def _signed(self, envelope: ActionEnvelope, last: LastRead) -> SignedAction:
        """Decode the same bytes that go into the batch, so that both agree."""
        return read_raw(encode_envelope(envelope), self._rules, last)
