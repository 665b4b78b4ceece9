"""The explorer: blocks, batches, transactions and accounts, for the pages and for curious programs.

GET /explorer/block/NUMBER_OR_HASH, /explorer/batch/SEQ, /explorer/tx/HASH, /explorer/account/ADDRESS,
/explorer/blocks; and the anchor's POST forms blockDetails, txDetails, userDetails.
"""

from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address, parse_hash
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.ethereum.format import block_json, receipt_steps
from coinone.interfaces.api.ethereum.parts import Steps, in_parts
from coinone.interfaces.api.ethereum.transaction_format import transaction_json
from coinone.interfaces.api.exchange import account_json as accounts
from coinone.interfaces.api.exchange import reads
from coinone.interfaces.api.exchange.histories import Histories
from coinone.interfaces.api.exchange.market_data import MarketData
from coinone.interfaces.api.exchange.orders import frontend_order_json
from coinone.interfaces.api.explorer_rows import transaction_row
from coinone.interfaces.api.http import HttpError
from coinone.interfaces.api.queries import InThread, Queries
from coinone.interfaces.api.recent import Recent
from coinone.interfaces.api.weights import RECORDS_BYTES_PER_WEIGHT, Purse
from coinone.node.runtime.archive import ActionPlace, EthereumPlace
from coinone.node.runtime.node import ChainReader, Node
from coinone.rules.chain.batch import Batch, decode_certified
from coinone.rules.consensus.header import Header
from coinone.rules.exchange.wire.types import DomainRules

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
        recent: Recent,
    ) -> None:
        self._archive = node.archive
        self._log = node.storage.log
        self._federation = node.genesis.federation
        # Whatever is in a batch was accepted; so every domain that any network accepts is read here.
        self._rules = DomainRules(node.network.chain_id, True, True)
        self._queries = queries
        self._in_thread = in_thread
        self._data = data
        self._histories = histories
        self._seen = recent

    async def get(self, path: str, purse: Purse) -> bytes:
        """A GET below /explorer/. Raises HttpError 404 or 400."""
        kind, _, argument = path.partition("/")
        try:
            self._pay(kind, argument, purse)
            found = await self._page(kind, argument)
        except InvalidInput as error:
            raise HttpError(400, str(error)) from error
        if found is None:
            raise HttpError(404, f"no such {kind} on this node")
        return jsonio.encode(found)

    async def _page(self, kind: str, argument: str) -> Json | None:
        if kind == "account":
            return await self._account(argument)
        if kind == "blocks" and not argument:
            return await self._in_thread(self._newest)
        if kind == "batch":
            return await self._in_thread(lambda: self._batch_named(argument))
        reader = {"block": self._block, "tx": self._tx}.get(kind)
        if reader is None:
            raise HttpError(404, "no such page")
        return await in_parts(self._in_thread, reader(argument), is_paid=True)

    def _pay(self, kind: str, argument: str, purse: Purse) -> None:
        """For a block that is read whole, which may have tens of thousands of logs: by its bytes, as for JSON-RPC."""
        number = self._number(argument) if kind == "block" else None
        if kind == "tx":
            place = self._archive.place_of(parse_hash(argument))
            number = place.number if isinstance(place, EthereumPlace) else None
        if number is not None:
            purse.spend(self._archive.records_size(number) // RECORDS_BYTES_PER_WEIGHT)

    async def post(self, body: bytes, purse: Purse) -> bytes:
        """The anchor's POST /explorer. Raises HttpError 422."""
        try:
            return jsonio.encode(await self.answer(jsonio.decode(body), purse))
        except InvalidInput as error:
            raise HttpError(422, str(error)) from error

    async def answer(self, request: Any, purse: Purse) -> Json:
        """blockDetails, txDetails or userDetails. Raises InvalidInput."""
        kind = request.get("type") if isinstance(request, dict) else None
        if kind == "blockDetails":
            height = _parse_number(str(request.get("height")), "height must be a number")
            found = await self._in_thread(lambda: self.batch(height))
            if found is None:
                raise InvalidInput("no such block")
            return {"type": kind, "blockDetails": found}
        if kind == "txDetails":
            tx_hash = str(request.get("hash"))
            self._pay("tx", tx_hash, purse)
            tx = await in_parts(self._in_thread, self._tx(tx_hash), is_paid=True)
            if tx is None:
                raise InvalidInput("no such transaction")
            return {"type": kind, "tx": tx}
        if kind == "userDetails":
            user = parse_address(request.get("user"))
            return {"type": kind, "txs": await self._in_thread(lambda: self._user_transactions(user))}
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
        shown, raws = [], [row.record.raw for row in rows]
        for row in rows:
            shown.append(transaction_json(row, header))
            yield
        summary = self._summary(header)
        first = header.batch_seq - summary["batches"] + 1
        return {
            **summary,
            "exchangeRoot": "0x" + header.exchange_root.hex(),
            "batchHash": "0x" + header.batch_hash.hex(),
            "firstBatch": first,
            "ethereum": block_json(header, shown, raws),
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
        """A batch that a block includes, or one that is only in the log yet."""
        certified = self._archive.batch(seq)
        if certified is None:
            logged = self._log.batches.get(seq)
            certified = None if logged is None else decode_certified(logged)
        return None if certified is None else certified.batch

    def _batch_named(self, argument: str) -> Json | None:
        return self.batch(_parse_number(argument, "batch must be a number"))

    def batch(self, seq: int, most: int | None = None) -> Json | None:
        """A batch with its transactions of all kinds, or the last `most` of them; None if the node has none such."""
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
        """With the error of an action that failed, while that is remembered."""
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
        """An action in a batch, included in a block or not yet; with its outcome if that is remembered."""
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

    async def _account(self, argument: str) -> Json | None:
        """An address on both sides: gas coin and nonce, exchange balance, positions and orders."""
        address = parse_address(argument)
        time_ms = self._data.time_ms

        def read(reader: ChainReader) -> tuple[int, int, bool, accounts.AccountView]:
            view = reads.account_view(reader.exchange, address, time_ms)
            state = reader.state
            return state.balance(address), state.nonce(address), bool(state.code(address)), view

        balance, nonce, is_contract, view = await self._queries.run(read)
        coins = self._data.coins
        return {
            "address": "0x" + address.hex(),
            "balance": str(balance),
            "nonce": nonce,
            "isContract": is_contract,
            "isTrader": view.exists,
            "exchange": accounts.clearinghouse_json(view, coins, time_ms),
            "openOrders": [frontend_order_json(order, coins) for order in view.orders],
            "recent": await self._in_thread(lambda: self._user_transactions(address)),
        }

    def _user_transactions(self, address: bytes) -> list[Json]:
        """The account's newest actions that left a trace in the ledger or in trades."""
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


def _parse_number(text: str, otherwise: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise InvalidInput(otherwise)
    return int(text)
