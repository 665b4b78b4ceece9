"""Every JSON-RPC method by name. The documentation page is printed from this table."""

from coinone.interfaces.api.ethereum.context import DEAR, Handler, Method
from coinone.interfaces.api.ethereum.methods import (
    blocks,
    calls,
    config,
    debug,
    fee_history,
    logs,
    parity,
    send,
    state,
    txpool,
)
from coinone.interfaces.api.ethereum.methods import dev as dev_methods
from coinone.interfaces.api.ethereum.methods import fill as fill_methods
from coinone.interfaces.api.ethereum.news import subscriptions
from coinone.interfaces.api.ethereum.simulation.methods import simulate
from coinone.rules.chain.network import Network


def _rows(*rows: tuple[str, Handler, int, int]) -> dict[str, Method]:
    return {
        name: Method(handler, least, most, DEAR if name.startswith(_DEAR) else 1)
        for name, handler, least, most in rows
    }


_DEAR = (
    "debug_trace",
    "eth_call",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_fillTransaction",
    "eth_getFilter",
    "eth_getLogs",
    "eth_getProof",
    "eth_pendingTransactions",
    "eth_simulateV1",
    "trace_",
    "txpool_content",
    "txpool_inspect",
)


METHODS: dict[str, Method] = _rows(
    ("eth_chainId", send.chain_id, 0, 0),
    ("eth_blockNumber", blocks.block_number, 0, 0),
    ("eth_getBalance", state.get_balance, 1, 2),
    ("eth_getTransactionCount", state.get_transaction_count, 1, 2),
    ("eth_getCode", state.get_code, 1, 2),
    ("eth_getStorageAt", state.get_storage_at, 2, 3),
    ("eth_getProof", state.get_proof, 2, 3),
    ("eth_getStorageValues", state.get_storage_values, 1, 2),
    ("eth_call", calls.eth_call, 1, 4),
    ("eth_simulateV1", simulate, 1, 2),
    ("eth_estimateGas", calls.eth_estimate_gas, 1, 4),
    ("eth_createAccessList", calls.eth_create_access_list, 1, 3),
    ("eth_gasPrice", blocks.gas_price, 0, 0),
    ("eth_maxPriorityFeePerGas", blocks.max_priority_fee, 0, 0),
    ("eth_baseFee", blocks.base_fee, 0, 0),
    ("eth_blobBaseFee", blocks.blob_base_fee, 0, 0),
    ("eth_feeHistory", fee_history.fee_history, 2, 3),
    ("eth_sendRawTransaction", send.send_raw_transaction, 1, 1),
    ("eth_sendRawTransactionSync", send.send_raw_transaction_sync, 1, 2),
    ("eth_fillTransaction", fill_methods.fill_transaction, 1, 1),
    ("eth_getTransactionByHash", blocks.get_transaction, 1, 1),
    ("eth_getRawTransactionByHash", blocks.get_raw_transaction, 1, 1),
    ("eth_getRawTransactionByBlockHashAndIndex", blocks.raw_by_hash_and_index, 2, 2),
    ("eth_getRawTransactionByBlockNumberAndIndex", blocks.raw_by_number_and_index, 2, 2),
    ("eth_getTransactionReceipt", blocks.get_receipt, 1, 1),
    ("eth_getBlockByHash", blocks.get_block_by_hash, 1, 2),
    ("eth_getBlockByNumber", blocks.get_block_by_number, 1, 2),
    ("eth_getHeaderByHash", blocks.get_header_by_hash, 1, 1),
    ("eth_getHeaderByNumber", blocks.get_header_by_number, 1, 1),
    ("eth_getBlockReceipts", blocks.get_block_receipts, 1, 1),
    ("eth_getBlockTransactionCountByHash", blocks.count_by_hash, 1, 1),
    ("eth_getBlockTransactionCountByNumber", blocks.count_by_number, 1, 1),
    ("eth_getTransactionByBlockHashAndIndex", blocks.by_hash_and_index, 2, 2),
    ("eth_getTransactionByBlockNumberAndIndex", blocks.by_number_and_index, 2, 2),
    ("eth_getUncleCountByBlockHash", blocks.uncle_count_by_hash, 1, 1),
    ("eth_getUncleCountByBlockNumber", blocks.uncle_count_by_number, 1, 1),
    ("eth_getUncleByBlockHashAndIndex", blocks.uncle_by_hash, 2, 2),
    ("eth_getUncleByBlockNumberAndIndex", blocks.uncle_by_number, 2, 2),
    ("eth_getLogs", logs.get_logs, 0, 1),
    ("eth_newFilter", logs.new_filter, 0, 1),
    ("eth_newBlockFilter", logs.new_block_filter, 0, 0),
    ("eth_newPendingTransactionFilter", logs.new_pending_filter, 0, 1),
    ("eth_getFilterChanges", logs.get_filter_changes, 1, 1),
    ("eth_getFilterLogs", logs.get_filter_logs, 1, 1),
    ("eth_uninstallFilter", logs.uninstall_filter, 1, 1),
    ("eth_subscribe", subscriptions.subscribe, 1, 2),
    ("eth_unsubscribe", subscriptions.unsubscribe, 1, 1),
    ("eth_config", config.config, 0, 0),
    ("eth_capabilities", config.capabilities, 0, 0),
    ("rpc_modules", config.modules, 0, 0),
    ("eth_syncing", send.syncing, 0, 0),
    ("eth_accounts", send.accounts, 0, 0),
    ("eth_coinbase", send.coinbase, 0, 0),
    ("eth_mining", send.mining, 0, 0),
    ("eth_hashrate", send.hashrate, 0, 0),
    ("eth_protocolVersion", send.protocol_version, 0, 0),
    ("eth_sign", send.no_keys, 0, 8),
    ("eth_signTransaction", send.no_keys, 0, 8),
    ("eth_sendTransaction", send.no_keys, 0, 8),
    ("net_version", send.net_version, 0, 0),
    ("net_listening", send.net_listening, 0, 0),
    ("net_peerCount", send.net_peer_count, 0, 0),
    ("web3_clientVersion", send.client_version, 0, 0),
    ("web3_sha3", send.sha3, 1, 1),
    ("txpool_status", txpool.status, 0, 0),
    ("txpool_content", txpool.content, 0, 0),
    ("txpool_inspect", txpool.inspect, 0, 0),
    ("eth_pendingTransactions", txpool.pending_transactions, 0, 0),
    ("txpool_contentFrom", txpool.content_from, 1, 1),
    ("debug_getRawBlock", debug.get_raw_block, 1, 1),
    ("debug_getRawHeader", debug.get_raw_header, 1, 1),
    ("debug_getRawReceipts", debug.get_raw_receipts, 1, 1),
    ("debug_getRawTransaction", blocks.get_raw_transaction, 1, 1),
    ("debug_traceTransaction", debug.trace_transaction, 1, 2),
    ("debug_traceCall", debug.trace_call, 1, 3),
    ("debug_traceBlockByNumber", debug.trace_block_by_number, 1, 2),
    ("trace_block", parity.trace_block, 1, 1),
    ("trace_transaction", parity.trace_transaction, 1, 1),
    ("debug_traceBlockByHash", debug.trace_block_by_hash, 1, 2),
)

DEV_METHODS: dict[str, Method] = _rows(
    ("evm_mine", dev_methods.mine, 0, 1),
    ("evm_setNextBlockTimestamp", dev_methods.set_next_timestamp, 1, 1),
    ("evm_increaseTime", dev_methods.increase_time, 1, 1),
    ("evm_snapshot", dev_methods.snapshot, 0, 0),
    ("evm_revert", dev_methods.revert, 1, 1),
    ("coinone_faucet", dev_methods.faucet, 1, 1),
)


def methods_of(network: Network) -> dict[str, Method]:
    """What a node of `network` serves: time travel and the faucet exist on dev only."""
    return METHODS | DEV_METHODS if network.is_dev else METHODS


def modules_of(methods: dict[str, Method]) -> tuple[str, ...]:
    """The namespaces of the methods, in order."""
    return tuple(sorted({name.partition("_")[0] for name in methods}))
