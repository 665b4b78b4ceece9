"""An Ethereum chain of three small blocks in a data folder: begun, imported, refused, served, opened again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import (
    DecodeError,
    InvalidBlock,
    InvalidInput,
    LimitExceeded,
    StorageError,
)
from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.ethereum_service import EthereumService
from coinone.interfaces.api.http.guard import Caller
from coinone.node.imported.archive import steps_of_block
from coinone.node.imported.chain import EthereumChain, init_chain, open_chain
from coinone.node.imported.chain_file import BLOCK_BYTES_MAX, Checkpoint, read_blocks
from coinone.node.imported.node import EthereumNode
from coinone.node.networks import load_network
from coinone.node.recovery.startup import identity_of
from coinone.node.storage.past import after_block
from coinone.node.storage.storage import open_storage
from coinone.rules.chain.imported.genesis import parse_alloc, sealed_alloc
from coinone.rules.chain.imported.header import EthereumHeader
from coinone.rules.ledger.header import EMPTY_OMMERS, EMPTY_TRIE
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.state.state import State

STAKER = b"\x77" * 20
RICH = "0x" + "aa" * 20
CONFIG = {"chainId": 7, "londonBlock": 0, "shanghaiTime": 0, "cancunTime": 0}
GENESIS: dict[str, Any] = {
    "config": CONFIG, "gasLimit": "0x1c9c380", "difficulty": "0x0", "timestamp": "0",
    "alloc": {RICH: {"balance": "1000", "storage": {"0x01": "0x02"}}},
}  # fmt: skip


def root_after(gwei: int) -> bytes:
    """The state root when the staker has been paid that much, worked out from the accounts alone."""
    alloc = dict(GENESIS["alloc"])
    if gwei:
        alloc["0x" + STAKER.hex()] = {"balance": hex(gwei * 10**9)}
    return sealed_alloc(MemoryDatabase(), parse_alloc(alloc)).root


def block_after(parent: EthereumHeader, paid: int, root: bytes | None = None) -> bytes:
    """A block whose only content is a withdrawal of 5 gwei (EIP-4895) to the staker; `paid` with it."""
    withdrawal: list[rlp.Encodable] = [parent.number, 3, STAKER, 5]
    # No gas was used, so the base fee falls by an eighth (EIP-1559).
    fields: list[rlp.Encodable] = [
        parent.hash, EMPTY_OMMERS, bytes(20), root or root_after(paid), EMPTY_TRIE, EMPTY_TRIE, bytes(256), 0,
        parent.number + 1, parent.gas_limit, 0, parent.timestamp + 12, b"", bytes(32), bytes(8),
        parent.base_fee - parent.base_fee // 8, ordered_root([rlp.encode(withdrawal)]), 0, 0, bytes(32),
    ]  # fmt: skip
    return rlp.encode([fields, [], [], [withdrawal]])


def grow(chain: EthereumChain, blocks: int) -> list[bytes]:
    raws = []
    for _ in range(blocks):
        raws.append(block_after(chain.head, 5 * (chain.head.number + 1)))
        assert chain.add(raws[-1])
    return raws


def test_blocks_are_imported_kept_and_found_again(tmp_path: Path) -> None:
    chain = init_chain(tmp_path, GENESIS)
    raws = grow(chain, 3)
    head = chain.head.hash
    chain.close()
    chain = open_chain(tmp_path)
    assert (chain.head.number, chain.head.hash, chain.has_state) == (3, head, True)
    assert [chain.add(raw) for raw in raws] == [False] * 3
    assert [chain.archive.raw(number) for number in (1, 2, 3)] == raws
    assert State(chain.storage.store).balance(STAKER) == 15 * 10**9
    assert State(after_block(chain.storage.store, 1)).balance(STAKER) == 5 * 10**9
    assert list(steps_of_block(chain.storage.store, chain.network, 2)) == []
    chain.close()


def test_a_block_that_does_not_check_changes_nothing(tmp_path: Path) -> None:
    chain = init_chain(tmp_path, GENESIS)
    grow(chain, 1)
    with pytest.raises(InvalidBlock, match="state root"):
        chain.add(block_after(chain.head, 0, root=root_after(11)))
    with pytest.raises(InvalidBlock, match="state root"):  # beside the line
        chain.add(block_after(chain.archive.header(0) or chain.head, 0, root=root_after(11)))
    with pytest.raises(DecodeError):
        chain.add(b"\xc1\x80")
    grow(chain, 1)
    assert chain.head.number == 2
    chain.close()


def test_a_folder_holds_one_chain(tmp_path: Path) -> None:
    init_chain(tmp_path, GENESIS).close()
    init_chain(tmp_path, GENESIS).close()
    other = GENESIS | {"gasLimit": "0x1c9c381"}
    with pytest.raises(InvalidInput, match="holds another chain"):
        init_chain(tmp_path, other)
    with pytest.raises(StorageError, match="another network"):
        open_storage(tmp_path, identity_of(load_network("dev")), 2**26)


def test_a_folder_without_a_chain_says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="coinone ethereum init"):
        open_chain(tmp_path)


@pytest.mark.parametrize("change", [
    {"config": None}, {"gasLimit": "much"}, {"gasLimit": -1}, {"gasLimit": 2**63}, {"alloc": {"0x12": {}}},
    {"alloc": {RICH: {"balance": "1e9"}}},
    {"config": CONFIG | {"pragueTime": 10, "osakaTime": 5}}, {"config": CONFIG | {"bpo1Time": 9}}, {"extraData": "0xf"},
])  # fmt: skip
def test_a_genesis_file_that_cannot_be_meant_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        init_chain(tmp_path, GENESIS | change)


def test_blocks_from_before_cancun_need_their_checkpoint(tmp_path: Path) -> None:
    genesis = GENESIS | {"config": CONFIG | {"cancunTime": 24}}
    genesis["config"] = {key: genesis["config"][key] for key in ("chainId", "cancunTime")}
    chain = init_chain(tmp_path, genesis)
    parent = chain.head
    root = root_after(0)
    fields: list[rlp.Encodable] = [
        parent.hash, EMPTY_OMMERS, bytes(20), root, EMPTY_TRIE, EMPTY_TRIE, bytes(256), 1, 1, parent.gas_limit, 0, 12,
        b"", bytes(32), bytes(8),
    ]  # fmt: skip
    past = rlp.encode([fields, [], []])
    with pytest.raises(InvalidInput, match="receipts must come with --checkpoint"):
        chain.add(past)
    alloc = parse_alloc(GENESIS["alloc"])
    with pytest.raises(InvalidBlock, match="receipts are not this block's"):
        chain.add(past, Checkpoint(alloc, {1: (b"\xc0",)}))
    assert chain.add(past, Checkpoint(alloc, {1: ()}))
    assert not chain.has_state
    with pytest.raises(InvalidInput, match="not the state after this block"):
        chain.load_state(Checkpoint({}, {}))
    chain.load_state(Checkpoint(alloc, {1: ()}))
    assert chain.has_state
    assert State(chain.storage.store).storage(bytes.fromhex(RICH[2:]), 1) == 2
    chain.close()
    with pytest.raises(InvalidInput, match="before Cancun"):
        EthereumNode(tmp_path)


def test_a_chain_file_is_read_block_by_block(tmp_path: Path) -> None:
    small, large = rlp.encode([b"a", b"b"]), rlp.encode([b"x" * 300])
    file = tmp_path / "chain.rlp"
    file.write_bytes(small + large + small)
    assert list(read_blocks(file)) == [small, large, small]
    for bytes_, error in (
        (small + large[:-1], DecodeError),
        (b"\x80", DecodeError),
        (b"\xf9\x01", DecodeError),
        (b"\xfb" + (BLOCK_BYTES_MAX + 1).to_bytes(4, "big"), LimitExceeded),
    ):
        file.write_bytes(bytes_)
        with pytest.raises(error):
            list(read_blocks(file))


def asked(service: EthereumService, *calls: tuple[Any, ...]) -> list[Any]:
    """What each call is answered, or the message of its error."""
    purse = RateLimits(1_000).purse("127.0.0.1")

    async def ask(method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        answer = json.loads(await service.rpc.dispatcher.answer(body, Caller.PROGRAM, purse))
        return answer.get("result", answer.get("error", {}).get("message"))

    async def ask_all() -> list[Any]:
        return [await ask(*call) for call in calls]

    return asyncio.run(ask_all())


def test_the_interface_answers_over_an_imported_chain(tmp_path: Path) -> None:
    chain = init_chain(tmp_path, GENESIS)
    grow(chain, 2)
    chain.close()
    node = EthereumNode(tmp_path)
    service = EthereumService(node, 1_000)
    try:
        *answers, block = asked(
            service,
            ("eth_blockNumber",),
            ("eth_getBalance", "0x" + STAKER.hex(), "latest"),
            ("eth_getBalance", "0x" + STAKER.hex(), "0x1"),
            ("eth_getStorageAt", RICH, "0x1", "pending"),
            ("eth_baseFee",),
            ("eth_sendRawTransaction", "0x70"),
            ("eth_sendRawTransaction", "0x72"),
            ("evm_mine",),
            ("eth_getBlockByNumber", "0x2", False),
        )
        assert answers == [
            "0x2", hex(10 * 10**9), hex(5 * 10**9), "0x" + f"{2:064x}", hex(10**9 * 7**3 // 8**3),
            "there is no exchange on this chain", "there is no exchange on this chain",
            "the method evm_mine does not exist/is not available",
        ]  # fmt: skip
        withdrawal = {
            "index": "0x1", "validatorIndex": "0x3", "address": "0x" + STAKER.hex(), "amount": "0x5",
        }  # fmt: skip
        assert block["withdrawals"] == [withdrawal]
        assert block["uncles"] == []
    finally:
        asyncio.run(service.stop())
        node.stop()


def test_a_call_at_a_block_sees_the_blob_base_fee_of_that_block(tmp_path: Path) -> None:
    # EIP-4844 at Cancun: e ** (excess / 3,338,477) = e ** 2.9954 = 19.99, cut to 19
    init_chain(tmp_path, GENESIS | {"excessBlobGas": hex(10_000_000)}).close()
    node = EthereumNode(tmp_path)
    service = EthereumService(node, 1_000)
    code = "0x4a5f5260205ff3"  # BLOBBASEFEE, stored at 0, returned
    try:
        call = ("eth_call", {"to": RICH}, "0x0", {RICH: {"code": code}})
        # the next block's excess is less by the target of 393,216: e ** 2.8776 = 17.77
        assert asked(service, call, ("eth_blobBaseFee",)) == [f"0x{19:064x}", hex(17)]
    finally:
        asyncio.run(service.stop())
        node.stop()


def test_a_blob_transaction_shows_what_its_blobs_cost(tmp_path: Path) -> None:
    """Genesis as above: 17 wei a unit in block 1, whose two blobs take 2 * 131,072 units."""
    key, payee = "0x" + "42" * 32, "0x" + "bb" * 20
    sender = Account.from_key(key).address.lower()
    base_fee = 10**9 * 7 // 8
    genesis = GENESIS | {"excessBlobGas": hex(10_000_000), "alloc": {sender: {"balance": hex(10**18)}}}
    raw = bytes(Account.sign_transaction({
        "type": 3, "chainId": 7, "nonce": 0, "gas": 21_000, "to": bytes.fromhex(payee[2:]), "value": 1,
        "maxFeePerGas": base_fee, "maxPriorityFeePerGas": 0, "maxFeePerBlobGas": 20,
        "blobVersionedHashes": ["0x01" + "00" * 31, "0x01" + "11" * 31],
    }, key).raw_transaction)  # fmt: skip
    left = 10**18 - 1 - 21_000 * base_fee - 2 * 131_072 * 17
    after = {sender: {"balance": hex(left), "nonce": "0x1"}, payee: {"balance": "0x1"}}
    root = sealed_alloc(MemoryDatabase(), parse_alloc(after)).root
    receipt = b"\x03" + rlp.encode([1, 21_000, bytes(256), []])
    chain = init_chain(tmp_path, genesis)
    parent = chain.head
    fields: list[rlp.Encodable] = [
        parent.hash, EMPTY_OMMERS, bytes(20), root, ordered_root([raw]), ordered_root([receipt]), bytes(256), 0,
        1, parent.gas_limit, 21_000, 12, b"", bytes(32), bytes(8), base_fee, EMPTY_TRIE, 2 * 131_072,
        10_000_000 - 393_216, bytes(32),
    ]  # fmt: skip
    assert chain.add(rlp.encode([fields, [raw], [], []]))
    chain.close()
    node = EthereumNode(tmp_path)
    service = EthereumService(node, 1_000)
    try:
        found, of_block, fees, refused = asked(
            service,
            ("eth_getTransactionReceipt", "0x" + keccak256(raw).hex()),
            ("eth_getBlockReceipts", "0x1"),
            ("eth_feeHistory", "0x2", "0x1", []),
            ("eth_sendRawTransaction", "0x" + raw.hex() + "00" * 131_072),
        )
        assert (found["blobGasUsed"], found["blobGasPrice"]) == (hex(2 * 131_072), hex(17))
        assert of_block == [found]
        # 19 and 17 as above; then the excess is 9,606,784 + 262,144 - 393,216: e ** 2.8383 = 17.09
        assert fees["baseFeePerBlobGas"] == [hex(19), hex(17), hex(17)]
        assert fees["blobGasUsedRatio"] == [0, 2 / 6]  # Cancun: at most six blobs
        assert refused.startswith("blob transactions are not supported")
    finally:
        asyncio.run(service.stop())
        node.stop()


def test_the_ommers_of_a_block_can_be_asked_for(tmp_path: Path) -> None:
    genesis = GENESIS | {"config": {"chainId": 7, "cancunTime": 24}}
    chain = init_chain(tmp_path, genesis)
    checkpoint = Checkpoint(parse_alloc(GENESIS["alloc"]), {1: ()})

    def fields(number: int, difficulty: int, ommers: bytes, *later: rlp.Encodable) -> list[rlp.Encodable]:
        return [
            chain.head.hash, ommers, bytes(20), root_after(0), EMPTY_TRIE, EMPTY_TRIE, bytes(256), difficulty, number,
            chain.head.gas_limit, 0, 12 * number, b"", bytes(32), bytes(8), *later,
        ]  # fmt: skip

    ommer = fields(1, 5, EMPTY_OMMERS)
    assert chain.add(rlp.encode([fields(1, 9, keccak256(rlp.encode([ommer]))), [], [ommer]]), checkpoint)
    assert chain.add(
        rlp.encode([fields(2, 0, EMPTY_OMMERS, 0, EMPTY_TRIE, 0, 0, bytes(32)), [], [], []]), checkpoint
    )
    chain.close()
    node = EthereumNode(tmp_path)
    service = EthereumService(node, 1_000)
    try:
        count, found, second, elsewhere = asked(
            service,
            ("eth_getUncleCountByBlockNumber", "0x1"),
            ("eth_getUncleByBlockNumberAndIndex", "0x1", "0x0"),
            ("eth_getUncleByBlockNumberAndIndex", "0x1", "0x1"),
            ("eth_getUncleByBlockHashAndIndex", "0x" + node.head.hash.hex(), "0x0"),
        )
        assert (count, second, elsewhere) == ("0x1", None, None)
        assert found["hash"] == "0x" + keccak256(rlp.encode(ommer)).hex() and found["difficulty"] == "0x5"
        assert found["size"] == hex(len(rlp.encode([ommer, [], []]))) and found["uncles"] == []
        assert "transactions" not in found
    finally:
        asyncio.run(service.stop())
        node.stop()
