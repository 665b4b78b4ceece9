"""Convert a transaction's result to the record that its batch keeps."""

from coinone.base.forms.ethereum import EthereumTransaction
from coinone.rules.chain.ethereum.execution import TransactionResult
from coinone.rules.ledger.records import TransactionRecord


def record_of(tx: EthereumTransaction, outcome: TransactionResult) -> TransactionRecord:
    return TransactionRecord(
        raw=tx.encoded,
        hash=tx.hash,
        type=tx.type,
        sender=tx.sender,
        to=tx.to,
        is_system=False,
        succeeded=outcome.success,
        gas_used=outcome.gas_used,
        gas_price=outcome.effective_gas_price,
        contract_address=outcome.contract_address,
        logs=outcome.logs,
    )
