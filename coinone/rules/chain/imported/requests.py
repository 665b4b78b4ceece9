"""Requests of execution to consensus (EIP-7685): deposits from logs, the rest from two system contracts."""

from collections.abc import Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidBlock
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.chain.imported.system import system_call
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, BlockEnv, Engine, Rules

DEPOSIT_CONTRACT: Address = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")  # main network's
DEPOSIT_TOPIC: Hash32 = keccak256(b"DepositEvent(bytes,bytes,bytes,bytes,bytes)")
WITHDRAWAL_REQUESTS: Address = bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002")  # EIP-7002
CONSOLIDATION_REQUESTS: Address = bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251")  # EIP-7251
# EIP-6110: pubkey, withdrawal credentials, amount, signature, index. Offset of each in the log, and its size.
_DEPOSIT_FIELDS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
_DEPOSIT_SIZE = 576


def collect_requests(
    state: State,
    env: BlockEnv,
    rules: Rules,
    deposit_contract: Address,
    records: Sequence[TransactionRecord],
    engine: Engine = REFERENCE,
) -> list[bytes]:
    """The block's requests, each list after its type; empty lists are left out. Raises InvalidBlock."""
    deposits = b"".join(
        _deposit(log.data)
        for record in records
        for log in record.logs
        if log.address == deposit_contract and log.topics[:1] == (DEPOSIT_TOPIC,)
    )
    lists = [deposits]
    for contract in (WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS):
        result = system_call(state, env, rules, contract, b"", engine)
        if result is None or not result.success:
            raise InvalidBlock("a request contract is missing or failed", address=contract)
        lists.append(result.output)
    return [bytes((kind,)) + found for kind, found in enumerate(lists) if found]


def _deposit(data: bytes) -> bytes:
    """The fields of a deposit log, without the padding. Raises InvalidBlock."""
    heads = [int.from_bytes(data[at : at + 32], "big") for at in range(0, 160, 32)]
    if len(data) != _DEPOSIT_SIZE or heads != [offset for offset, _ in _DEPOSIT_FIELDS]:
        raise InvalidBlock("deposit log of another layout")
    for offset, size in _DEPOSIT_FIELDS:
        if int.from_bytes(data[offset : offset + 32], "big") != size:
            raise InvalidBlock("deposit field of another size")
    return b"".join(data[offset + 32 : offset + 32 + size] for offset, size in _DEPOSIT_FIELDS)
