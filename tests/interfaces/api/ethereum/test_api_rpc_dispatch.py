"""JSON-RPC framing: the specification's own examples and hostile variations of them."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidTransaction, LimitExceeded, StorageError
from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.ethereum.context import Context, Method
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.json.errors import RpcError, revert_reason, reverted
from coinone.interfaces.api.http.guard import Caller


async def _subtract(context: Context, a: int, b: int) -> int:
    return a - b


async def _refuse(context: Context) -> None:
    raise InvalidTransaction("nonce too low", want=5, have=3)


async def _crash(context: Context) -> None:
    raise ZeroDivisionError("secret internals")


async def _halted(context: Context) -> None:
    raise StorageError("node halted: no space left on device")


async def _long(context: Context) -> str:
    return "x" * 1_000_000


async def _limit(context: Context) -> None:
    raise LimitExceeded("too many blocks", most=10)


PURSE = RateLimits(1).purse("127.0.0.1")
METHODS = {
    name: Method(name, handler, "")
    for name, handler in (
        ("eth_subtract", _subtract),
        ("eth_refuse", _refuse),
        ("eth_crash", _crash),
        ("eth_halted", _halted),
        ("eth_long", _long),
        ("eth_limit", _limit),
        ("evm_mine", _refuse),
    )
}


def ask(body: Any, caller: Caller = Caller.PROGRAM) -> Any:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answer = asyncio.run(Dispatcher(METHODS, None).answer(raw, caller, PURSE))
    return msgspec.json.decode(answer) if answer else None


def call(method: str, *params: Any, **extra: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params), **extra}


def test_a_call_is_answered_under_its_id() -> None:
    assert ask(call("eth_subtract", 42, 23)) == {"jsonrpc": "2.0", "id": 1, "result": 19}
    assert ask({**call("eth_subtract", 42, 23), "id": "a"})["id"] == "a"


def test_a_halted_node_says_so_and_logs_no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    error = ask(call("eth_halted"))["error"]
    assert (error["code"], error["message"]) == (-32603, "node halted: no space left on device")
    assert not caplog.records


def test_a_notification_gets_no_answer() -> None:
    assert ask({"jsonrpc": "2.0", "method": "eth_subtract", "params": [1, 2]}) is None


def test_a_batch_is_answered_in_order() -> None:
    answers = ask([{**call("eth_subtract", n, 0), "id": n} for n in range(5)])
    assert [(a["id"], a["result"]) for a in answers] == [(n, n) for n in range(5)]


def test_transactions_that_follow_one_another_in_a_batch_go_in_together_and_reads_see_them() -> None:
    begun, ended, together = [], [], []

    async def send(context: Context, raw: str) -> str:
        begun.append(raw)
        await asyncio.sleep(0)
        together.append(len(begun) - len(ended))
        await asyncio.sleep(0)
        ended.append(raw)
        return raw

    async def count(context: Context) -> int:
        return len(ended)

    methods = {
        "eth_sendRawTransaction": Method("eth_sendRawTransaction", send, ""),
        "eth_count": Method("eth_count", count, ""),
    }
    sends = [call("eth_sendRawTransaction", name) for name in "abc"]
    body = msgspec.json.encode([*sends, call("eth_count"), sends[0], call("eth_count")])
    answers = msgspec.json.decode(asyncio.run(Dispatcher(methods, None).answer(body, Caller.PROGRAM, PURSE)))
    assert [answer["result"] for answer in answers] == ["a", "b", "c", 3, "a", 4]
    assert begun == ["a", "b", "c", "a"] and max(together) == 3


async def _reverts_with_much(context: Context) -> None:
    raise reverted(b"\xee" * 500_000)


@pytest.mark.parametrize(
    ("asked", "paid"),
    [(call("eth_long"), 16), (call("eth_reverts"), 16), (call("eth_subtract", 1, 2), 1)],
    ids=["result", "error", "small"],
)
@pytest.mark.parametrize("is_notification", [False, True])
def test_a_large_answer_is_paid_for_by_its_size(
    asked: dict[str, Any], paid: int, is_notification: bool
) -> None:
    """A call that returns 5 MB, 10 MB in JSON, was 20, as any call. Of 1,000,000 bytes and some, 15 times 65,536."""
    purse = RateLimits(1200, lambda: 0.0).purse("203.0.113.5")
    methods = METHODS | {"eth_reverts": Method("eth_reverts", _reverts_with_much, "")}
    body = {key: asked[key] for key in asked if key != "id"} if is_notification else asked
    asyncio.run(Dispatcher(methods, None).answer(msgspec.json.encode(body), Caller.PROGRAM, purse))
    assert 1200 - purse._held == paid


def test_what_a_batch_has_answered_counts_as_unread_until_its_last_answer() -> None:
    """A batch may end with a call that waits for a minute."""
    unread = []

    async def note(context: Context) -> None:
        unread.append(context.purse._unread)

    body = msgspec.json.encode([call("eth_long"), call("eth_note"), call("eth_long"), call("eth_note")])
    methods = METHODS | {"eth_note": Method("eth_note", note, "")}
    asyncio.run(Dispatcher(methods, None).answer(body, Caller.PROGRAM, PURSE))
    assert [size // 1_000_000 for size in unread] == [1, 2]
    assert PURSE._unread == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{bad", -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'"x"', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"eth_subtract"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"nope"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_subtract","params":{"a":1}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_subtract","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_subtract","params":[1,2,3]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_subtract","params":[1,2]}', -32700),
    ],
)
def test_what_is_no_request_gets_the_code_of_the_specification(body: bytes, code: int) -> None:
    assert ask(body)["error"]["code"] == code


def test_a_batch_of_rubbish_is_answered_item_by_item() -> None:
    # https://www.jsonrpc.org/specification, "rpc call with invalid Batch"
    assert [a["error"]["code"] for a in ask(b"[1,2,3]")] == [-32600] * 3


def test_too_many_calls_in_a_batch_are_refused_whole() -> None:
    assert ask([call("eth_subtract", 1, 1)] * 1001)["error"]["code"] == -32600


def test_a_batch_whose_answer_grows_too_large_is_cut_short() -> None:
    answers = ask([call("eth_long")] * 40)
    assert len(answers) == 40
    assert sum("result" in a for a in answers) == 27  # 25 MiB of answers of a little over 1,000,000 bytes
    assert answers[-1]["error"]["code"] == -32005


def test_a_refusal_carries_the_reason_in_data() -> None:
    error = ask(call("eth_refuse"))["error"]
    assert error == {
        "code": -32000,
        "message": "nonce too low (want=5, have=3)",
        "data": {"reason": "nonce too low"},
    }
    assert ask(call("eth_limit"))["error"]["code"] == -32005


def test_an_internal_fault_shows_nothing_of_itself() -> None:
    error = ask(call("eth_crash"))["error"]
    assert error == {"code": -32603, "message": "internal error"}


def test_extensions_reach_the_ethereum_namespaces_only() -> None:
    assert "result" in ask(call("eth_subtract", 2, 1), Caller.EXTENSION)
    assert ask(call("evm_mine"), Caller.EXTENSION)["error"]["code"] == -32601


def test_trailing_nulls_count_as_absent() -> None:
    assert ask(call("eth_subtract", 3, 2, None))["result"] == 1


def test_null_is_no_value_wherever_a_value_is_required() -> None:
    error = ask(call("eth_subtract", None, 2))["error"]
    assert error == {"code": -32602, "message": "missing value for required argument 0"}


_anything = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=3)
)


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.just("2.0") | _anything,
            "id": st.just(7) | _anything,
            "method": st.just("eth_subtract") | _anything,
            "params": st.just([5, 3]) | _anything,
            "x": _anything,
        },
    )
)
@example({"jsonrpc": "2.0", "method": "eth_subtract", "params": [5, 3]})
@example({"jsonrpc": "2.0", "method": "eth_subtract", "params": [5, 3], "id": 7})
def test_no_request_object_is_left_without_a_well_formed_answer(request: dict[str, Any]) -> None:
    """https://www.jsonrpc.org/specification: only a notification, which has no id, goes unanswered."""
    answer = ask(request)
    if answer is None:
        assert request["jsonrpc"] == "2.0" and request["method"] == "eth_subtract" and "id" not in request
        return
    assert ("error" in answer) != ("result" in answer)
    name = request.get("id")
    assert answer["id"] == (name if type(name) in (int, str) else None)


def test_a_revert_is_told_as_geth_tells_it() -> None:
    # The answer of eth_call/call-revert-abi-error.io, ethereum/execution-apis (CC0)
    data = bytes.fromhex(
        "08c379a0" + "20".rjust(64, "0") + "0a".rjust(64, "0") + "75736572206572726f72".ljust(64, "0")
    )
    error = reverted(data)
    assert error.as_json() == {
        "code": 3,
        "message": "execution reverted: user error",
        "data": "0x" + data.hex(),
    }
    assert reverted(b"").as_json() == {"code": 3, "message": "execution reverted", "data": "0x"}
    assert revert_reason(bytes.fromhex("4e487b71") + (17).to_bytes(32, "big")) == "panic code 0x11"


@given(st.binary(max_size=120))
def test_no_revert_data_breaks_the_reader(output: bytes) -> None:
    assert isinstance(reverted(output), RpcError)
    reverted(bytes.fromhex("08c379a0") + output)
