"""Genesis: the initial state of a network.

What is the same for every node is in the network's file. What is made when a network is started (dev: at the node's
first start) is in `Genesis`: the time, the federation and its first seed chain, and the oracle's reporters. Both
together determine the state, the first header and the first cursor.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.abi import address_word, uint_word
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX, FIRST_LEVERAGE_MAX, QUOTE_SUPPLY_MAX
from coinone.base.primitives.records import codec_of, encode, record
from coinone.base.primitives.types import U64, ZERO_HASH, Address, Hash32
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.network import Network, QuoteToken
from coinone.rules.consensus.federation import Federation
from coinone.rules.consensus.terms import Term
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.ledger.header import EMPTY_TRIE, Header
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS

# The storage layout of contracts/QuoteToken.sol
TOTAL_SUPPLY_SLOT = 0
BALANCES_SLOT = 1

ACTION_CREDITS = 10_000  # what an account may send before it has traded (D5)
DEV_ACTION_CREDITS = 10**9  # the demo's makers requote all day


_MEMBERS = codec_of(tuple[Address, ...])


def _federation(item: rlp.Item) -> Federation:
    """Decode the federation. Raises DecodeError: a node without genesis receives it from any peer."""
    members = _MEMBERS.decode(item)
    if len(members) > FEDERATION_MEMBERS_MAX:
        raise DecodeError("genesis: number of members", most=FEDERATION_MEMBERS_MAX, have=len(members))
    if len(dict.fromkeys(members)) != len(members):
        raise DecodeError("genesis: a member twice")
    return Federation(members)


_Federation: TypeAlias = Annotated[
    Federation, Codec(lambda value: _MEMBERS.encode(value.members), _federation)
]


@record
@dataclass(frozen=True, slots=True)
class Genesis:
    """The parameters chosen when a network starts."""

    time_ms: U64
    federation: _Federation
    reporters: tuple[Address, ...]
    seed_tip: Hash32


def exchange_config(network: Network, genesis: Genesis) -> ExchangeConfig:
    """The exchange's fixed terms and first balances."""
    token = network.quote_token
    return ExchangeConfig(
        chain_id=network.chain_id,
        accept_foreign_user_signed=network.is_dev,
        accept_foreign_l1=network.is_dev,
        markets=tuple(
            MarketConfig(
                row.name,
                row.sz_decimals,
                row.max_leverage,
                impact_notional=row.impact_notional,
                first_leverage=min(FIRST_LEVERAGE_MAX, row.max_leverage),
                initial_mark=row.start_price,
            )
            for row in network.markets
        ),
        reporters=genesis.reporters,
        balances=tuple((row.address, row.exchange) for row in network.allocations if row.exchange),
        token_name=token.name,
        token_address=token.address,
        system_address=token.system_address,
        keyless=_keyless(network),
        action_credits=DEV_ACTION_CREDITS if network.is_dev else ACTION_CREDITS,
    )


def _keyless(network: Network) -> frozenset[Address]:
    """Addresses that nobody can sign for: precompiled contracts, and the contracts of genesis."""
    contracts = [contract.address for contract in network.predeploys]
    precompiles = FORKS[network.fork].precompiles
    return frozenset([*precompiles, *contracts, network.quote_token.address, network.reward_pool])


def write_genesis_state(state: State, network: Network) -> None:
    """Write accounts, contracts and token balances into an empty state; the caller freezes it."""
    for row in network.allocations:
        state.set_balance(row.address, row.gas_coin)
    for contract in network.predeploys:
        state.set_nonce(contract.address, contract.nonce)
        state.set_code(contract.address, contract.code)
    _write_token(state, network)


def genesis_header(network: Network, genesis: Genesis, state_root: Hash32, exchange_root: Hash32) -> Header:
    return Header(
        parent_hash=ZERO_HASH,
        number=0,
        timestamp=div_down(genesis.time_ms, 1000),
        coinbase=network.reward_pool,
        gas_limit=network.block_gas_limit,
        gas_used=0,
        base_fee=network.base_fee,
        state_root=state_root,
        transactions_root=EMPTY_TRIE,
        receipts_root=EMPTY_TRIE,
        bloom=bytes(256),
        prev_randao=ZERO_HASH,
        batch_seq=0,
        batch_hash=genesis_batch_hash(network, genesis),
        exchange_root=exchange_root,
    )


def genesis_batch_hash(network: Network, genesis: Genesis) -> Hash32:
    """The hash in place of the batch before the first: it binds every later one to this chain."""
    return keccak256(
        b"coinone-genesis" + rlp.encode([network.chain_id, network.name.encode(), encode(genesis)])
    )


def genesis_cursor(network: Network, genesis: Genesis, header: Header) -> Cursor:
    return Cursor(
        seq=0,
        batch_hash=header.batch_hash,
        time_ms=genesis.time_ms,
        evm_timestamp=header.timestamp,
        evm_offset_s=0,
        base_number=0,
        base_hash=header.hash,
        term=Term(0, 1, genesis.seed_tip, network.seed_length),
    )


def balance_slot(address: Address) -> int:
    """The storage slot of the quote token's balance of `address` (Solidity's layout of a mapping)."""
    return int.from_bytes(keccak256(address_word(address) + uint_word(BALANCES_SLOT)), "big")


def token_balance(state: State, token: QuoteToken, address: Address) -> int:
    return state.storage(token.address, balance_slot(address))


def _write_token(state: State, network: Network) -> None:
    """Write the token's code and balances. What the exchange owes in genesis is at the system address."""
    token = network.quote_token
    state.set_nonce(token.address, 1)
    state.set_code(token.address, token.code)
    balances = {row.address: row.token for row in network.allocations if row.token}
    owed = sum(row.exchange for row in network.allocations)
    balances[token.system_address] = owed
    supply = sum(balances.values())
    if supply > QUOTE_SUPPLY_MAX:
        raise InvalidInput("quote token supply", most=QUOTE_SUPPLY_MAX, have=supply)
    state.set_storage(token.address, TOTAL_SUPPLY_SLOT, supply)
    for address, amount in balances.items():
        state.set_storage(token.address, balance_slot(address), amount)
