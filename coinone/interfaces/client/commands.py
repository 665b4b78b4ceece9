"""The commands of a client, defined once for both kinds of client.

`AsyncClient` awaits the requests that a command's steps yield, `Client` blocks on them: every method below
returns its result from `Client`, and an awaitable of it from `AsyncClient`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from coinone.base.primitives.parse import format_bytes, parse_quantity
from coinone.interfaces.client import actions
from coinone.interfaces.client.actions import Action, Number, Order, Tif, Trigger
from coinone.interfaces.client.errors import AnswerLost, Refused
from coinone.interfaces.client.proofs import ProvenAccount, verify_account_proof
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.interfaces.client.steps import (
    Steps,
    deposit,
    found_status,
    get,
    info,
    quote_token,
    rpc,
    send_once,
    token_balance,
)


@dataclass(frozen=True, slots=True)
class Market:
    """A perpetual market as `meta` lists it; `asset` is its index there."""

    asset: int
    name: str
    size_decimals: int
    max_leverage: int


class Commands:
    """The commands; subclasses define how one is run."""

    def __init__(
        self,
        key: bytes | str | None = None,
        account: str | None = None,
        domain: Domain | None = None,
        vault: str | None = None,
    ) -> None:
        """`key` signs; `account` is the account to act for if `key` is an agent's."""
        self.signer = None if key is None else Signer(key)
        self.account = account or (None if self.signer is None else format_bytes(self.signer.address))
        self.vault = vault
        self._domain = domain
        self._markets: dict[str, Market] = {}

    def _run(self, steps: Steps[Any]) -> Any:
        raise NotImplementedError

    # Reading

    def info(self, kind: str, **fields: Any) -> Any:
        """Query POST /info by type: `info("l2Book", coin="BTC")`."""
        return self._run(info(kind, **fields))

    def rpc(self, method: str, *parameters: Any) -> Any:
        """Call a method of Ethereum JSON-RPC."""
        return self._run(rpc(method, *parameters))

    def health(self) -> Any:
        """The health of the node: whether it makes batches, and the newest one."""
        return self._run(get("/health"))

    def explore(self, page: str) -> Any:
        """A page of the explorer, such as "batch/5", "block/latest", "tx/0x.."."""
        return self._run(get(f"/explorer/{page}"))

    def markets(self) -> Any:
        """The perpetual markets by name: dict[str, Market]."""
        return self._run(self._markets_steps())

    def mids(self) -> Any:
        """Mid prices by market name, as decimal text."""
        return self.info("allMids")

    def book(self, coin: str) -> Any:
        return self.info("l2Book", coin=coin)

    def contexts(self) -> Any:
        """Oracle and mark price, funding, open interest and more by market name."""
        return self._run(self._contexts_steps())

    def summary(self, user: str | None = None) -> Any:
        """Positions, margin and withdrawable amount of an account."""
        return self.info("clearinghouseState", user=user or self.account)

    def open_orders(self, user: str | None = None) -> Any:
        return self.info("openOrders", user=user or self.account)

    def fills(self, user: str | None = None) -> Any:
        return self.info("userFills", user=user or self.account)

    def order_status(self, oid: int | str) -> Any:
        """The status of an order, by order id or cloid."""
        return self.info("orderStatus", user=self.account, oid=oid)

    def proven_account(self, user: str | None = None, block_hash: str | None = None) -> Any:
        """The account in the last block, verified up to that block's hash: ProvenAccount. Raises ProofFailed, also if
        the block is not `block_hash`."""
        return self._run(self._proven_account(user or self.account, block_hash))

    # Trading

    def act(self, action: Action, expires_after: int | None = None) -> Any:
        """Sign and send any action; return the response's `data`. Raises Refused with the chain's message."""
        return self._run(self._act(action, expires_after))

    def order(
        self,
        coin: str,
        is_buy: bool,
        size: Number,
        price: Number,
        tif: Tif = "Gtc",
        reduce_only: bool = False,
        cloid: str | None = None,
        trigger: Trigger | None = None,
    ) -> Any:
        """Place one order exactly once, even if the connection fails; return its status, such as
        {"resting": {"oid": 7, "cloid": "0x.."}} or {"filled": {..}}. Raises Refused, NoAnswer."""
        wanted = Order(0, is_buy, size, price, tif, reduce_only, cloid or actions.new_cloid(), trigger)
        return self._run(self._order_steps(coin, wanted))

    def orders(self, orders: Sequence[Order], expires_after: int | None = None) -> Any:
        """Place several orders in one action; return their statuses, {"error": text} for a refused one."""
        return self._run(self._statuses(actions.order(orders), expires_after))

    def cancel(self, pairs: Sequence[tuple[int, int]]) -> Any:
        """Cancel (asset, order id) pairs; return the statuses, "success" or {"error": text}."""
        return self._run(self._statuses(actions.cancel(pairs)))

    def cancel_by_cloid(self, pairs: Sequence[tuple[int, str]]) -> Any:
        return self._run(self._statuses(actions.cancel_by_cloid(pairs)))

    def cancel_all(self, coin: str | None = None) -> Any:
        """Cancel every open order of the account, or of one market; return how many there were."""
        return self._run(self._cancel_all_steps() if coin is None else self._cancel_market_steps(coin))

    def modify(self, changes: Sequence[tuple[int | str, Order]]) -> Any:
        return self._run(self._statuses(actions.modify(changes)))

    def schedule_cancel(self, time_ms: int | None) -> Any:
        return self.act(actions.schedule_cancel(time_ms))

    def update_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> Any:
        return self._run(self._leverage_steps(coin, leverage, is_cross))

    # Keys and funds

    def approve_agent(self, agent: str, name: str | None = None, compat: bool = False) -> Any:
        """Let the key of address `agent` trade for this account; it can never move funds. The zero address removes the
        agent of that name.

        A `compat` agent may sign as Hyperliquid's own clients do: its key must not be used elsewhere.
        """
        label = f"{name or ''} compat" if compat else name
        named = {} if label is None else {"agentName": label}
        return self.act({"type": "approveAgent", "agentAddress": agent.lower(), **named})

    def leave_agency(self) -> Any:
        """End this key's agency for an account. Funds sent to its address meanwhile open its own account, if
        sufficient."""
        return self.act({"type": "leaveAgency"})

    def send(self, destination: str, amount: Number) -> Any:
        """Send quote tokens to another account of the exchange."""
        text = actions.decimal_text(amount)
        return self.act({"type": "usdSend", "destination": destination.lower(), "amount": text})

    def withdraw(self, amount: Number) -> Any:
        """Move quote tokens from the exchange to the same address on the EVM."""
        return self._run(self._withdraw_steps(amount))

    def deposit(self, amount: Number) -> Any:
        """Move quote tokens from the EVM to the exchange; return the transaction's receipt."""
        return self._run(deposit(self._own_signer(), amount))

    def token_balance(self, user: str | None = None) -> Any:
        """The balance of quote tokens on the EVM: Decimal."""
        return self._run(token_balance(user or self._own_account()))

    # Steps of the commands

    def _act(self, action: Action, expires_after: int | None = None) -> Steps[Any]:
        body = yield from self._sign(action, expires_after)
        return (yield from send_once(body))

    def _sign(self, action: Action, expires_after: int | None = None) -> Steps[dict[str, Any]]:
        signer = self._own_signer()
        if self._domain is None:
            chain_id = yield from rpc("eth_chainId")
            self._domain = Domain.coinone(parse_quantity(chain_id))
        return sign_action(signer, self._domain, action, self.vault, expires_after)

    def _statuses(self, action: Action, expires_after: int | None = None) -> Steps[Any]:
        try:
            data = yield from self._act(action, expires_after)
        except AnswerLost:
            if action["type"] != "order":
                raise
            names = [order.get("c") for order in action["orders"]]
            return (yield from self._found(names))
        return data["statuses"]

    def _found(self, cloids: Sequence[str | None]) -> Steps[list[dict[str, Any]]]:
        statuses = []
        for cloid in cloids:
            statuses.append((yield from found_status(self._own_account(), cloid)))
        return statuses

    def _order_steps(self, coin: str, wanted: Order) -> Steps[Any]:
        asset = (yield from self._market(coin)).asset
        (status,) = yield from self._statuses(actions.order([replace(wanted, asset=asset)]))
        if "error" in status:
            raise Refused(status["error"], data=status)
        return status

    def _leverage_steps(self, coin: str, leverage: int, is_cross: bool) -> Steps[Any]:
        asset = (yield from self._market(coin)).asset
        return (yield from self._act(actions.update_leverage(asset, leverage, is_cross)))

    def _cancel_all_steps(self) -> Steps[int]:
        found = yield from info("openOrders", user=self.account)
        pairs = []
        for each in found:
            pairs.append(((yield from self._market(each["coin"])).asset, each["oid"]))
        if pairs:
            yield from self._statuses(actions.cancel(pairs))
        return len(pairs)

    def _cancel_market_steps(self, coin: str) -> Steps[int]:
        asset = (yield from self._market(coin)).asset
        found = yield from self._act(actions.cancel_all_by_market(asset))
        return int(found["count"])

    def _markets_steps(self) -> Steps[dict[str, Market]]:
        meta = yield from info("meta")
        self._markets = {
            each["name"]: Market(index, each["name"], each["szDecimals"], each["maxLeverage"])
            for index, each in enumerate(meta["universe"])
        }
        return self._markets

    def _market(self, coin: str) -> Steps[Market]:
        """The market of this name, looked up again if it is not known yet: it may be a new one."""
        if coin not in self._markets:
            yield from self._markets_steps()
        if coin not in self._markets:
            raise Refused(f"no market {coin}; there are {', '.join(self._markets)}")
        return self._markets[coin]

    def _proven_account(self, user: str | None, block_hash: str | None) -> Steps[ProvenAccount]:
        if user is None:
            raise Refused("whose account? name a user, or make the client with a key")
        return verify_account_proof((yield from info("accountProof", user=user)), user, block_hash)

    def _contexts_steps(self) -> Steps[dict[str, Any]]:
        meta, contexts = yield from info("metaAndAssetCtxs")
        names = [each["name"] for each in meta["universe"]]
        return dict(zip(names, contexts, strict=True))

    def _own_account(self) -> str:
        if self.account is None:
            raise Refused("this client has neither a key nor an account")
        return self.account

    def _own_signer(self) -> Signer:
        if self.signer is None:
            raise Refused("this client has no key to sign with")
        return self.signer

    def _withdraw_steps(self, amount: Number) -> Steps[Any]:
        token = yield from quote_token()
        action = {
            "type": "sendAsset",
            "destination": token.system_address,
            "sourceDex": "",
            "destinationDex": "spot",
            "token": f"{token.name}:{token.address}",
            "amount": actions.decimal_text(amount),
            "fromSubAccount": "",
        }
        return (yield from self._act(action))
