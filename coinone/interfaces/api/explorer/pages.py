"""The explorer: blocks, batches, transactions and accounts, for the pages and for other programs.

GET /explorer/block/NUMBER_OR_HASH, /explorer/batch/SEQ, /explorer/tx/HASH, /explorer/account/ADDRESS, /explorer/blocks;
and Hyperliquid's POST forms blockDetails, txDetails, userDetails.
"""

from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address, parse_hash
from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.admission.queries import InThread, Queries
from coinone.interfaces.api.admission.weights import (
    EXPLORER_BYTES_PER_WEIGHT,
    RECORDS_BYTES_PER_WEIGHT,
    TokenBucket,
)
from coinone.interfaces.api.ethereum.chain.parts import in_parts
from coinone.interfaces.api.ethereum.json.blocks import block_json, receipt_steps
from coinone.interfaces.api.ethereum.json.transactions import transaction_json
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.json import accounts
from coinone.interfaces.api.exchange.json.orders import frontend_order_json
from coinone.interfaces.api.explorer.rows import transaction_row
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.recent import RecentOutcomes
from coinone.node.node import ChainReader, Node
from coinone.node.views.archive import ActionPlace, EthereumPlace
from coinone.rules.exchange.wire.types import DomainRules
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.header import Header
from coinone.rules.state.steps import Steps, at_once, each

Json = dict[str, Any]
RECENT_BLOCKS = 25
USER_TRANSACTIONS = 100


class Explorer:
    """Reads blocks and batches in a thread: a batch of a thousand orders has as many signatures to recover."""

    def __init__(
        self,
        node: Node,
        queries: Queries[ChainReader],
        in_thread: InThread,
        data: MarketData,
        histories: Histories,
        recent: RecentOutcomes,
    ) -> None:
        self._archive = node.archive
        self._log = node.storage.log
        self._federation = node.genesis.federation
        # Everything in a batch was accepted; so every domain that any network accepts is read here.
        self._rules = DomainRules(node.network.chain_id, True, True)
        self._queries = queries
        self._in_thread = in_thread
        self._data = data
        self._histories = histories
        self._seen = recent

    async def get(self, path: str, purse: TokenBucket) -> bytes:
        """Answer a GET below /explorer/, paid for by its size beyond the weight of every page. Raises HttpError 400,
        404 or 429."""
        kind, _, argument = path.partition("/")
        try:
            self._pay(kind, argument, purse)
            found = await self._page(kind, argument, purse)
        except InvalidInput as error:
            raise HttpError.of(error, 400) from error
        if found is None:
            raise HttpError(404, f"no such {kind} on this node")
        return found

    async def _page(self, kind: str, argument: str, purse: TokenBucket) -> bytes | None:
        if kind == "account":
            address = parse_address(argument)
            account = await self._account(address)
            recent = at_once(self._user_transactions)
            return await self._made(_joined(account, recent(address)), purse)
        if kind == "blocks" and not argument:
            return await self._made(at_once(self._newest)(), purse)
        reader = {"block": self._block, "batch": at_once(self._batch_named), "tx": self._tx}.get(kind)
        if reader is None:
            raise HttpError(404, "no such page")
        return await self._made(reader(argument), purse)

    def _pay(self, kind: str, argument: str, purse: TokenBucket) -> None:
        """Pay for a block that is read whole, which may have tens of thousands of logs: by its bytes, as for
        JSON-RPC."""
        number = self._number(argument) if kind == "block" else None
        if kind == "tx":
            place = self._archive.place_of(parse_hash(argument))
            number = place.number if isinstance(place, EthereumPlace) else None
        if number is not None:
            purse.spend(self._archive.records_size(number) // RECORDS_BYTES_PER_WEIGHT)

    async def _made(self, steps: Steps[Json | None], purse: TokenBucket) -> bytes | None:
        """The bytes of a page: made, and paid for, in a thread, since they may be 15 MB of a transaction's logs."""

        def page() -> Steps[bytes | None]:
            made = yield from steps
            if made is None:
                return None
            found = jsonio.encode(made)
            purse.spend(len(found) // EXPLORER_BYTES_PER_WEIGHT)
            return found

        return await in_parts(self._in_thread, page(), is_paid=True)

    async def post(self, body: bytes, purse: TokenBucket) -> bytes:
        """Answer Hyperliquid's POST /explorer, paid for by its size like a page. Raises HttpError 422 or 429."""
        try:
            request = jsonio.decode(body)
            if isinstance(request, dict) and request.get("type") == "txDetails":
                self._pay("tx", str(request.get("hash")), purse)
            answer = await self._made(self._answer(request), purse)
        except InvalidInput as error:
            raise HttpError.of(error, 422) from error
        assert answer is not None, "what there is not was refused"
        return answer

    def _answer(self, request: Any) -> Steps[Json | None]:
        """Answer blockDetails, txDetails or userDetails. Raises InvalidInput."""
        kind = request.get("type") if isinstance(request, dict) else None
        if kind == "blockDetails":
            found = self.batch(_parse_number(str(request.get("height")), "height must be a number"))
            if found is None:
                raise InvalidInput("no such block")
            return {"type": kind, "blockDetails": found}
        if kind == "txDetails":
            tx = yield from self._tx(str(request.get("hash")))
            if tx is None:
                raise InvalidInput("no such transaction")
            return {"type": kind, "tx": tx}
        if kind == "userDetails":
            user = parse_address(request.get("user"))
            return {"type": kind, "txs": self._user_transactions(user)}
        raise InvalidInput("type must be blockDetails, txDetails or userDetails")

    def _newest(self) -> Json:
        head = self._data.view.head.number
        headers = self._archive.headers(max(head - RECENT_BLOCKS + 1, 0), head)
        return {"blocks": [self._summary(header) for header in reversed(list(headers))]}

    def _summary(self, header: Header) -> Json:
        parent = self._archive.header(header.number - 1) if header.number else None
        return {
            "number": header.number,
            "hash": "0x" + header.hash.hex(),
            "time": header.timestamp * 1000,
            "batches": header.batch_seq - parent.batch_seq if parent else 0,
            "lastBatch": header.batch_seq,
            "gasUsed": header.gas_used,
        }

    def _block(self, argument: str) -> Steps[Json | None]:
        """A block with its batches and Ethereum transactions."""
        number = self._number(argument)
        header = None if number is None else self._archive.header(number)
        if header is None:
            return None
        rows = yield from self._archive.record_steps(header.number)
        shown = yield from each(rows, at_once(lambda row: transaction_json(row, header)))
        summary = self._summary(header)
        first = header.batch_seq - summary["batches"] + 1
        return {
            **summary,
            "exchangeRoot": "0x" + header.exchange_root.hex(),
            "batchHash": "0x" + header.batch_hash.hex(),
            "firstBatch": first,
            "ethereum": block_json(header, shown, [row.record.raw for row in rows]),
            "batchList": [self._batch_summary(seq) for seq in range(first, header.batch_seq + 1)],
        }

    def _number(self, argument: str) -> int | None:
        if argument == "latest":
            return self._data.view.head.number
        if argument.startswith("0x"):
            return self._archive.number_of(parse_hash(argument))
        return _parse_number(argument, "block must be a number, a hash or latest")

    def _batch_summary(self, seq: int) -> Json:
        batch = self._stored(seq)
        return (
            {"seq": seq, "time": batch.time_ms, "transactions": len(batch.transactions)}
            if batch
            else {"seq": seq}
        )

    def _stored(self, seq: int) -> Batch | None:
        """A batch that a block includes, or one that is only in the log so far."""
        certified = self._archive.batch(seq)
        if certified is None:
            logged = self._log.batches.get(seq)
            certified = None if logged is None else decode(CertifiedBatch, logged)
        return None if certified is None else certified.batch

    def _batch_named(self, argument: str) -> Json | None:
        return self.batch(_parse_number(argument, "batch must be a number"))

    def batch(self, seq: int, most: int | None = None) -> Json | None:
        """A batch with its transactions of all kinds, or the last `most` of them; None if the node does not have it."""
        batch = self._stored(seq)
        if batch is None:
            return None
        shown = (
            batch.transactions
            if most is None
            else batch.transactions[max(len(batch.transactions) - most, 0) :]
        )
        return {
            "height": batch.seq,
            "blockTime": batch.time_ms,
            "hash": "0x" + batch.hash.hex(),
            "proposer": "0x" + self._federation.members[self._federation.leader(batch.term)].hex(),
            "numTxs": len(batch.transactions),
            "baseBlock": batch.base_number,
            "seed": "0x" + batch.seed.hex(),
            "txs": [self._transaction(raw, batch) for raw in shown],
        }

    def _transaction(self, raw: bytes, batch: Batch) -> Json:
        """A transaction's row, with the error of a failed action while that is remembered."""
        row = transaction_row(raw, batch, self._rules)
        seen = self._seen.get(bytes.fromhex(row["hash"][2:]))
        if seen is not None and seen.outcome is not None:
            row["error"] = seen.outcome.error or None
        return row

    def _tx(self, argument: str) -> Steps[Json | None]:
        """A transaction of any kind, by its hash."""
        tx_hash = parse_hash(argument)
        place = self._archive.place_of(tx_hash)
        if not isinstance(place, EthereumPlace):
            return self._action(tx_hash, place)
        header = self._archive.header(place.number)
        assert header is not None, "a placed transaction has its block"
        row = yield from self._archive.placed_steps(place.number, place.index)
        return {
            "kind": "ethereum",
            "tier": "included",
            "hash": argument,
            "block": header.number,
            "time": header.timestamp * 1000,
            "transaction": transaction_json(row, header),
            "receipt": (yield from receipt_steps(row, header)),
        }

    def _action(self, tx_hash: Hash32, place: ActionPlace | None) -> Json | None:
        """An action in a batch, whether or not a block includes it yet; with its outcome if that is remembered."""
        seen = self._seen.get(tx_hash)
        seq = self._seq_of(tx_hash, place)
        batch = None if seq is None else self._stored(seq)
        if batch is None:
            return None
        shown = (self._transaction(raw, batch) for raw in batch.transactions)
        found = next((tx for tx in shown if tx["hash"] == "0x" + tx_hash.hex()), None)
        if found is None:
            return None
        outcome = seen.outcome if seen is not None else None
        return {
            "kind": "action",
            **found,
            "tier": "preconfirmed" if place is None else "included",
            "status": None if outcome is None else outcome.error or outcome.status,
            "response": None if outcome is None else outcome.response,
        }

    def _seq_of(self, tx_hash: Hash32, place: ActionPlace | EthereumPlace | None) -> int | None:
        """The batch of an action, once its block is written or while it is remembered."""
        if isinstance(place, ActionPlace):
            return place.seq
        seen = self._seen.get(tx_hash)
        return None if seen is None else seen.seq

    async def _account(self, address: Address) -> Json:
        """An address on both sides: gas coin and nonce, exchange balance, positions and orders."""
        time_ms = self._data.time_ms

        def read(reader: ChainReader) -> tuple[int, int, bool, accounts.AccountView]:
            view = reads.account_view(reader.exchange, address, time_ms)
            state = reader.state
            return state.balance(address), state.nonce(address), bool(state.code(address)), view

        balance, nonce, is_contract, view = await self._queries.run(read)
        coins = self._histories.coins
        return {
            "address": "0x" + address.hex(),
            "balance": str(balance),
            "nonce": nonce,
            "isContract": is_contract,
            "isTrader": view.exists,
            "exchange": accounts.clearinghouse_json(view, coins, time_ms),
            "openOrders": [frontend_order_json(order, coins) for order in view.orders],
        }

    def _user_transactions(self, address: bytes) -> list[Json]:
        """The account's newest actions that appear in the ledger or in trades."""
        user = {"user": "0x" + address.hex()}
        fills = self._histories.fills(user)[:USER_TRANSACTIONS]
        ledger = self._histories.ledger(user)[-USER_TRANSACTIONS:]
        told = [(row, {"type": "fill", **row}) for row in fills] + [(row, row["delta"]) for row in ledger]
        told.sort(key=lambda pair: pair[0]["time"], reverse=True)
        return [self._user_row(user["user"], row, action) for row, action in told[:USER_TRANSACTIONS]]

    def _user_row(self, user: str, row: Json, action: Json) -> Json:
        tx_hash = parse_hash(row["hash"])
        block = self._seq_of(tx_hash, self._archive.place_of(tx_hash))
        return {
            "time": row["time"],
            "hash": row["hash"],
            "user": user,
            "block": block,
            "error": None,
            "action": action,
        }


def _joined(account: Json, recent: Steps[list[Json]]) -> Steps[Json | None]:
    return account | {"recent": (yield from recent)}


def _parse_number(text: str, otherwise: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise InvalidInput(otherwise)
    return int(text)
