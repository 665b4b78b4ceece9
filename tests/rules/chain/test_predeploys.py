"""Published contracts in genesis: their code is the one at the same address elsewhere, and it does its work here."""

import tomllib
from importlib.resources import files

import pytest
from eth_abi import decode, encode
from eth_utils import keccak

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.node.networks import NAMES, load_network
from coinone.rules.chain.apply import call_env
from coinone.rules.chain.ethereum.call import CallRequest, call
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.network import parse_network
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv
from tests.rules.chain.chain_world import KEYS, World, account, transfer

MULTICALL3 = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
ERC1820 = bytes.fromhex("1820a4b7618bde71dce8cdc73aab6c95905fad24")
CREATE2_PROXY = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
SAFE_FACTORY = bytes.fromhex("914d7fec6aac8cd542e72bca78b30650d45643d7")
PUBLISHED = (MULTICALL3, ERC1820, CREATE2_PROXY, SAFE_FACTORY)
NETWORKS = files("coinone.rules.chain").joinpath("networks")

# What deployers elsewhere compare eth_getCode with: Optimism's checks of its preinstalled contracts, foundry's code
# hash of ERC-1820, the deployment proxy's own page.
CODE_HASHES = {
    MULTICALL3: "d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891",
    ERC1820: "f0aa940bb32e37c5f7268b53acc48c7cdd148cd0fc196f30faa00a4d66c0443a",
    CREATE2_PROXY: "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989",
    SAFE_FACTORY: "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989",
}
_SOLIDITY = "608060405234801561001057600080fd5b50{}806100206000396000f3fe"
_YUL = "604580600e600039806000f350fe"
# Each was deployed by a published transaction: its gas limit (at 100 gwei), what stands before the runtime code, v, r,
# s, and the sender that they recover to. One byte of the code changed, and the sender would be another.
DEPLOYMENTS = {
    MULTICALL3: (
        1_000_000, _SOLIDITY.format("610ee0"), 28,
        0xEDCE47092C0F398CEBF3FFC267F05C8E7076E3B89445E0FE50F6332273D4569B,
        0x1B0B9D000E19B24C5869B0FC3B22B0D6FA47CD63316875CBBD577D76E6FDE086,
        "05f32b3cc3888453ff71b01135b34ff8e41263f2",
    ),
    ERC1820: (
        800_000, _SOLIDITY.format("6109c5"), 27, int("1820" * 16, 16), int("1820" * 16, 16),
        "a990077c3205cbdf861e17fa532eeb069ce9ff96",
    ),
    CREATE2_PROXY: (
        100_000, _YUL, 27, int("22" * 32, 16), int("22" * 32, 16), "3fab184622dc19b6109349b94811493bf2a45362",
    ),
    SAFE_FACTORY: (  # on Ethereum: v = 2 * 1 + 36
        100_000, _YUL, 38,
        0xB1FD9F4102283A663738983F1AAC789E979E220A1B649FAA74033F507B911AF5,
        0x61DD0F2F6F2341EE95913CF94B3B8A49CAC9FDD7BE6310DA7ACD7A96E31958D7,
        "e1cb04a0fa36ddd16a06ea828007e35e1a3cbc37",
    ),
}  # fmt: skip


def code_of(address: bytes) -> bytes:
    (code,) = (row.code for row in load_network("dev").predeploys if row.address == address)
    return code


def deployment_of(address: bytes) -> bytes:
    """The published transaction, with our code in it."""
    gas, prefix, v, r, s, _ = DEPLOYMENTS[address]
    return rlp.encode([0, 100 * 10**9, gas, b"", 0, bytes.fromhex(prefix) + code_of(address), v, r, s])


@pytest.mark.parametrize("name", NAMES)
def test_every_network_begins_with_the_published_contracts(name: str) -> None:
    found = {row.address: row for row in load_network(name).predeploys}
    for address in PUBLISHED:
        assert keccak(found[address].code).hex() == CODE_HASHES[address]
        assert found[address].nonce == 1  # EIP-161: that of a contract


@pytest.mark.parametrize("address", PUBLISHED, ids=bytes.hex)
def test_the_published_transaction_puts_this_code_at_this_address(address: bytes) -> None:
    tx = decode_transaction(deployment_of(address))
    assert tx.sender.hex() == DEPLOYMENTS[address][-1]
    assert keccak(rlp.encode([tx.sender, 0]))[12:] == address
    state = State(MemoryDatabase())
    state.set_balance(tx.sender, 10**18)
    env = BlockEnv(1, 1, 1, bytes(20), 30_000_000, 0, bytes(32), lambda number: bytes(32))
    result = apply_transaction(state, env, tx, FORKS["Osaka"], fee_policy=FeePolicy.BURN)
    assert result.success and result.contract_address == address
    assert state.code(address) == code_of(address) and state.nonce(address) == 1


def test_a_code_with_another_byte_has_another_sender() -> None:
    raw = deployment_of(CREATE2_PROXY)
    changed = decode_transaction(raw.replace(b"\x5b\x80\x82\x52", b"\x5b\x80\x82\x51"))
    assert changed.encoded != raw
    assert changed.sender.hex() != DEPLOYMENTS[CREATE2_PROXY][-1]


def test_a_file_whose_code_is_not_the_one_it_names_is_refused() -> None:
    def read(file: str) -> str:
        text = NETWORKS.joinpath(file).read_text()
        return text.replace("03601600", "03601601") if "create2_proxy" in file else text

    with pytest.raises(InvalidInput, match=r"not the one its file names.*create2_proxy"):
        parse_network(NETWORKS.joinpath("dev.toml").read_text(), read)


@pytest.mark.parametrize("name", ["multicall3", "erc1820", "create2_proxy", "safe_singleton_factory"])
def test_each_file_names_where_the_code_is_from_and_a_free_licence(name: str) -> None:
    row = tomllib.loads(NETWORKS.joinpath(f"contracts/{name}.toml").read_text())
    assert row["origin"] and row["licence"] in ("MIT", "CC0-1.0", "Unlicense")


def ask(world: World, to: bytes, call_data: bytes) -> bytes:
    chain = world.chain
    result = call(chain.state, call_env(chain), CallRequest(account(9), to, call_data), chain.rules)
    assert result.success
    return result.output


def abi(signature: str, *values: object) -> bytes:
    types = signature[signature.index("(") + 1 : -1]
    kinds = ["(address,bool,bytes)[]"] if types.startswith("(") else types.split(",")
    return keccak(text=signature)[:4] + encode(kinds, values)


def test_aggregate3_answers_several_calls_and_says_which_failed() -> None:
    world = World()
    calls = [
        (MULTICALL3, False, abi("getEthBalance(address)", account(3))),
        (MULTICALL3, True, b"\xff\xff\xff\xff"),  # no such method
        (MULTICALL3, False, keccak(text="getChainId()")[:4]),
    ]
    (answers,) = decode(
        ["(bool,bytes)[]"], ask(world, MULTICALL3, abi("aggregate3((address,bool,bytes)[])", calls))
    )
    # dev's accounts begin with 1,000 coins; its chain id is 926002
    assert answers == (
        (True, (1_000 * 10**18).to_bytes(32, "big")), (False, b""), (True, (926_002).to_bytes(32, "big")),
    )  # fmt: skip


def test_an_account_registers_what_implements_an_interface_for_it() -> None:
    world, owner = World(), account(0)
    tokens_received = ask(world, ERC1820, abi("interfaceHash(string)", "ERC777TokensRecipient"))[:32]
    assert tokens_received == keccak(text="ERC777TokensRecipient")
    register = abi("setInterfaceImplementer(address,bytes32,address)", owner, tokens_received, owner)
    result = world.evm_batch(transfer(KEYS[0], 0, ERC1820, 0, register))
    assert result.records[0].succeeded
    query = abi("getInterfaceImplementer(address,bytes32)", owner, tokens_received)
    assert ask(world, ERC1820, query) == owner.rjust(32, b"\0")
    nobody = abi("getInterfaceImplementer(address,bytes32)", account(1), tokens_received)
    assert ask(world, ERC1820, nobody) == bytes(32)


@pytest.mark.parametrize("factory", [CREATE2_PROXY, SAFE_FACTORY], ids=bytes.hex)
def test_a_factory_deploys_where_the_formula_of_create2_says(factory: bytes) -> None:
    world, salt = World(), bytes(31) + b"\x07"
    init_code = bytes.fromhex("602a5f526001601ff3")  # deploys the one byte 2a
    where = keccak(b"\xff" + factory + salt + keccak(init_code))[12:]  # EIP-1014
    first, second = (transfer(KEYS[0], nonce, factory, 0, salt + init_code) for nonce in (0, 1))
    result = world.evm_batch(first, second)
    assert [record.succeeded for record in result.records] == [True, False]  # there already
    assert world.chain.state.code(where) == b"\x2a"
