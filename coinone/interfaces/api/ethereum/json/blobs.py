"""Blob gas of imported Ethereum chains, as in geth. On a Coinone chain its price is constantly the minimum."""

from typing import Any

from coinone.base.forms.ethereum import BLOB, decode_any_transaction
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.node.imported.node import ImportedNetwork
from coinone.rules.chain.ethereum.blobs import GAS_PER_BLOB, blob_gas
from coinone.rules.chain.imported.header import EthereumHeader
from coinone.rules.chain.network import Network
from coinone.rules.ledger.placed import PlacedRecord

AnyNetwork = Network | ImportedNetwork
LEAST_PRICE = 1  # wei (EIP-4844)


def blob_price(network: AnyNetwork, header: AnyHeader) -> int:
    """The price of a unit of blob gas in a block, in wei; 0 in a block from before blob gas existed."""
    if isinstance(network, ImportedNetwork) and isinstance(header, EthereumHeader):
        return network.blob_base_fee(header)
    return LEAST_PRICE


def blob_gas_ratio(network: AnyNetwork, header: AnyHeader) -> float:
    """The blob gas used, as a fraction of the block's maximum."""
    if not isinstance(network, ImportedNetwork) or not isinstance(header, EthereumHeader):
        return 0
    if not header.blob_gas_used:
        return 0
    return header.blob_gas_used / (network.rules.fork_at(header.timestamp).blobs.most * GAS_PER_BLOB)


def blob_receipt_fields(network: AnyNetwork, row: PlacedRecord, header: AnyHeader) -> dict[str, Any]:
    """The additional receipt fields of a blob transaction."""
    if row.record.type != BLOB:
        return {}
    used = blob_gas(decode_any_transaction(row.record.raw))
    return {"blobGasUsed": hex(used), "blobGasPrice": hex(blob_price(network, header))}
