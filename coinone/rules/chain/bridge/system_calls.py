"""System calls: the chain's own changes to contracts, once per EVM batch.

A withdrawal is a `transfer` of the quote token from its system address, so that balances, logs and `eth_getLogs` agree.
Each becomes a transaction without signature, from the system address, at gas price zero; in legacy form, because
Ethereum's clients know no other unsigned one. Its gas is paid by no account and not counted. A deposit is a Transfer
log of the token with the system address as receiver.
"""

from collections.abc import Iterable, Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.abi import address_word, read_address, read_uint, uint_word
from coinone.base.primitives.parameters import SYSTEM_CALL_GAS
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.chain.network import Network, QuoteToken
from coinone.rules.ledger.crossings import CoreAction, Deposit, Withdrawal
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, BlockEnv, Engine, Evm, Message, Rules, TransactionEnv, execute
from coinone.rules.vm.environment import CALL

HISTORY_ADDRESS: Address = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
HISTORY_BLOCKS = 8191
CORE_WRITER: Address = bytes.fromhex("3333333333333333333333333333333333333333")

TRANSFER_TOPIC: Hash32 = keccak256(b"Transfer(address,address,uint256)")
RAW_ACTION_TOPIC: Hash32 = keccak256(b"RawAction(address,bytes)")
_TRANSFER_SELECTOR = keccak256(b"transfer(address,uint256)")[:4]


def write_block_hashes(state: State, headers: Iterable[Header]) -> None:
    """Write the hashes of newly confirmed blocks to the storage of EIP-2935's contract."""
    for header in headers:
        value = int.from_bytes(header.hash, "big")
        state.set_storage(HISTORY_ADDRESS, header.number % HISTORY_BLOCKS, value)


def pay_withdrawal(
    state: State,
    env: BlockEnv,
    rules: Rules,
    token: QuoteToken,
    withdrawal: Withdrawal,
    engine: Engine = REFERENCE,
) -> TransactionRecord:
    """Transfer tokens from the system address to the account that withdrew."""
    system = token.system_address
    data = _TRANSFER_SELECTOR + address_word(withdrawal.address) + uint_word(withdrawal.amount)
    nonce = state.nonce(system)
    raw = rlp.encode([nonce, 0, SYSTEM_CALL_GAS, token.address, 0, data, 0, 0, 0])
    state.begin_transaction()
    state.set_nonce(system, nonce + 1)
    message = Message(
        CALL, system, token.address, token.address, state.code(token.address), 0, data, SYSTEM_CALL_GAS
    )
    evm = Evm(state, env, TransactionEnv(system, 0), rules, engine=engine)
    result = execute(evm, message)
    state.end_transaction()
    return TransactionRecord(
        raw=raw,
        hash=keccak256(raw),
        type=0,
        sender=system,
        to=token.address,
        is_system=True,
        succeeded=result.success,
        gas_used=0,
        gas_price=0,
        contract_address=None,
        logs=tuple(evm.substate.logs) if result.success else (),
    )


def withdrawal_of(record: TransactionRecord) -> Withdrawal:
    """The withdrawal that `pay_withdrawal` recorded (except the action's hash, which only its receipt has)."""
    data = rlp.decode_bytes(rlp.decode_list(rlp.decode(record.raw), 9)[5])
    return Withdrawal(read_address(data, 4), read_uint(data, 36), record.hash)


def deposits_in(records: Sequence[TransactionRecord], network: Network) -> tuple[Deposit, ...]:
    """Deposits: tokens that arrived at the system address, in the order of their logs."""
    token = network.quote_token
    receiver = address_word(token.system_address)
    return tuple(
        Deposit(read_address(log.topics[1]), int.from_bytes(log.data, "big"), record.hash)
        for record in records
        for log in record.logs
        if log.address == token.address
        and len(log.topics) == 3
        and log.topics[0] == TRANSFER_TOPIC
        and log.topics[2] == receiver
        and any(log.data)
    )


def core_actions_in(records: Sequence[TransactionRecord]) -> tuple[CoreAction, ...]:
    """Actions that contracts wrote to the CoreWriter, in the order of their logs."""
    return tuple(
        CoreAction(log.topics[1][12:], _dynamic_bytes(log.data))
        for record in records
        for log in record.logs
        if log.address == CORE_WRITER and log.topics[:1] == (RAW_ACTION_TOPIC,)
    )


def _dynamic_bytes(data: bytes) -> bytes:
    """Decode the one `bytes` argument of an event, in the CoreWriter's own encoding."""
    size = int.from_bytes(data[32:64], "big")
    return data[64 : 64 + size]
