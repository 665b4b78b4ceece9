"""The steps of commands: generators that yield requests and receive their answers.

They do no I/O, so both the asynchronous and the blocking client use them.
"""

from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec

from coinone.base.primitives.parse import format_bytes, format_quantity, parse_address, parse_quantity
from coinone.interfaces.client import ethereum
from coinone.interfaces.client.actions import Number, decimal_text
from coinone.interfaces.client.errors import AnswerLost, NoAnswer, Refused
from coinone.interfaces.client.signing import Signer

RESEND_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # long enough for a node restart; then the caller is informed
RECEIPT_POLL_S = 0.25  # a batch
RECEIPT_WAIT_S = 30.0

_USED_NONCE = "duplicate nonce"  # the chain's message for an action that it has already executed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """A POST of `payload` as JSON to `path`, or a GET if there is none."""

    path: str
    payload: Any = None

    @property
    def body(self) -> bytes | None:
        return None if self.payload is None else msgspec.json.encode(self.payload)


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Token:
    """The quote token as listed by the node."""

    name: str
    index: int
    decimals: int
    address: str

    @property
    def system_address(self) -> str:
        return format_bytes(ethereum.system_address(self.index))

    def units(self, amount: Number) -> int:
        """`amount` in the token's smallest unit. Raises Refused if that would lose digits."""
        units = Decimal(decimal_text(amount)).scaleb(self.decimals)
        if units != units.to_integral_value():
            raise Refused(f"{self.name} has {self.decimals} decimals")
        return int(units)


Steps: TypeAlias = Generator[Request | Pause, Any, T]


def get(path: str) -> Steps[Any]:
    return (yield Request(path))


def info(kind: str, **fields: Any) -> Steps[Any]:
    return (yield Request("/info", {"type": kind, **fields}))


def rpc(method: str, *parameters: Any) -> Steps[Any]:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = yield Request("/rpc", request)
    if "error" in answer:
        error = answer["error"]
        raise Refused(f"{method}: {error['message']}", error.get("code", 0), error.get("data"))
    return answer["result"]


def send_once(body: dict[str, Any]) -> Steps[Any]:
    """Send a signed action until there is an answer, with the same bytes each time, so that it takes effect once.

    Raises AnswerLost if an earlier attempt turns out to have succeeded, Refused, NoAnswer."""
    for place, wait_s in enumerate((*RESEND_WAITS_S, None)):
        try:
            answer = yield Request("/exchange", body)
        except NoAnswer:
            if wait_s is None:
                raise
            yield Pause(wait_s)
            continue
        if answer["status"] == "ok":
            return answer["response"].get("data")
        if place and _USED_NONCE in str(answer["response"]):
            raise AnswerLost("carried out, but the answer was lost")
        raise Refused(str(answer["response"]), data=answer)
    return None


def found_status(user: str, cloid: str | None) -> Steps[dict[str, Any]]:
    """The status of an order whose answer was lost, in the answer's format. Amounts are in the fills."""
    if cloid is None:
        return {"error": "the answer was lost, and the order has no cloid to look it up by"}
    found = yield from info("orderStatus", user=user, oid=cloid)
    if found["status"] != "order":
        return {"error": "not placed"}
    order, status = found["order"]["order"], found["order"]["status"]
    name = {"oid": order["oid"], "cloid": cloid}
    if status == "open":
        return {"resting": name}
    filled = Decimal(order["origSz"]) - Decimal(order["sz"])  # an order that may not rest ends as canceled
    return {"filled": {**name, "totalSz": str(filled)}} if filled else {"error": status, **name}


def quote_token() -> Steps[Token]:
    meta = yield from info("spotMeta")
    row = meta["tokens"][0]
    return Token(row["name"], row["index"], row["weiDecimals"], row["evmContract"]["address"])


def token_balance(owner: str) -> Steps[Decimal]:
    token = yield from quote_token()
    call = {"to": token.address, "data": format_bytes(ethereum.balance_of_data(parse_address(owner)))}
    found = yield from rpc("eth_call", call, "latest")
    return Decimal(int(found, 16)).scaleb(-token.decimals)


def deposit(signer: Signer, amount: Number) -> Steps[Any]:
    token = yield from quote_token()
    data = ethereum.transfer_data(parse_address(token.system_address), token.units(amount))
    return (yield from transact(signer, token.address, data))


def transact(signer: Signer, to: str, data: bytes) -> Steps[Any]:
    """Call a contract in a transaction and wait for its receipt. Raises Refused if it reverts."""
    sender = format_bytes(signer.address)
    gas = yield from rpc("eth_estimateGas", {"from": sender, "to": to, "data": format_bytes(data)})
    price = yield from rpc("eth_gasPrice")
    nonce = yield from rpc("eth_getTransactionCount", sender, "pending")
    chain_id = yield from rpc("eth_chainId")
    transaction = ethereum.Transaction(
        chain_id=parse_quantity(chain_id),
        nonce=parse_quantity(nonce),
        max_priority_fee=0,
        max_fee=2 * parse_quantity(price),  # the base fee may rise while it waits
        gas=parse_quantity(gas),
        to=parse_address(to),
        value=0,
        data=data,
    )
    name = yield from rpc("eth_sendRawTransaction", format_bytes(signer.sign_transaction(transaction)))
    return (yield from receipt(name))


def receipt(name: str) -> Steps[Any]:
    """Wait for the receipt of the transaction with hash `name`. Raises Refused if it reverted."""
    for _ in range(int(RECEIPT_WAIT_S / RECEIPT_POLL_S)):
        found = yield from rpc("eth_getTransactionReceipt", name)
        if found is not None:
            if found["status"] != format_quantity(1):
                raise Refused(f"transaction {name} was reverted", data=found)
            return found
        yield Pause(RECEIPT_POLL_S)
    raise NoAnswer(f"transaction {name} is in no block after {RECEIPT_WAIT_S:g} s")
