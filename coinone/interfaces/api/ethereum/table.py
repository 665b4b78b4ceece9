"""Every JSON-RPC method: dispatch, weights and docs/protocol/api.md read these records."""

from coinone.interfaces.api.ethereum.context import DEAR, Method
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
from coinone.interfaces.api.limits import (
    LOG_RANGE_MAX,
    LOG_RESULTS_MAX,
    SYNC_TIMEOUT_MAX_S,
    SYNC_TIMEOUT_S,
    SYNC_WAITS_PER_SENDER_MAX,
)
from coinone.rules.chain.network import Network

_STATE = (
    Method("eth_getBalance", state.get_balance, "the gas coin of an account, in wei"),
    Method("eth_getTransactionCount", state.get_transaction_count, "the next nonce of an account"),
    Method("eth_getCode", state.get_code, "the code of an account"),
    Method("eth_getStorageAt", state.get_storage_at, "a storage slot"),
    Method("eth_getStorageValues", state.get_storage_values, "slots of several accounts"),
    Method("eth_getProof", state.get_proof, "EIP-1186: an account and slots, provable", DEAR),
    Method("eth_call", calls.eth_call, "the output of a call", DEAR),
    Method("eth_estimateGas", calls.eth_estimate_gas, "the smallest sufficient gas limit", DEAR),
    Method("eth_createAccessList", calls.eth_create_access_list, "EIP-2930: what a call touches", DEAR),
    Method("eth_simulateV1", simulate, "blocks of calls, one on top of the other", DEAR),
)
_BLOCKS = (
    Method("eth_blockNumber", blocks.block_number, "the number of the newest block"),
    Method("eth_getBlockByHash", blocks.get_block_by_hash, "a block"),
    Method("eth_getBlockByNumber", blocks.get_block_by_number, "a block"),
    Method("eth_getHeaderByHash", blocks.get_header_by_hash, "a block without its transactions"),
    Method("eth_getHeaderByNumber", blocks.get_header_by_number, "a block without its transactions"),
    Method("eth_getBlockReceipts", blocks.get_block_receipts, "the receipts of a block"),
    Method(
        "eth_getBlockTransactionCountByHash", blocks.count_by_hash, "the number of transactions in a block"
    ),
    Method(
        "eth_getBlockTransactionCountByNumber",
        blocks.count_by_number,
        "the number of transactions in a block",
    ),
    Method("eth_getTransactionByHash", blocks.get_transaction, "a transaction, also a pending one"),
    Method("eth_getTransactionByBlockHashAndIndex", blocks.by_hash_and_index, "a transaction of a block"),
    Method("eth_getTransactionByBlockNumberAndIndex", blocks.by_number_and_index, "a transaction of a block"),
    Method("eth_getRawTransactionByHash", blocks.get_raw_transaction, "a transaction's bytes"),
    Method("eth_getRawTransactionByBlockHashAndIndex", blocks.raw_by_hash_and_index, "a transaction's bytes"),
    Method(
        "eth_getRawTransactionByBlockNumberAndIndex", blocks.raw_by_number_and_index, "a transaction's bytes"
    ),
    Method("eth_getTransactionReceipt", blocks.get_receipt, "a receipt"),
    Method(
        "eth_getUncleCountByBlockHash",
        blocks.uncle_count_by_hash,
        "the number of uncles; 0 on Coinone chains",
    ),
    Method(
        "eth_getUncleCountByBlockNumber",
        blocks.uncle_count_by_number,
        "the number of uncles; 0 on Coinone chains",
    ),
    Method("eth_getUncleByBlockHashAndIndex", blocks.uncle_by_hash, "an uncle; null on Coinone chains"),
    Method("eth_getUncleByBlockNumberAndIndex", blocks.uncle_by_number, "an uncle; null on Coinone chains"),
)
_FEES = (
    Method("eth_gasPrice", blocks.gas_price, "base fee and suggested tip"),
    Method("eth_maxPriorityFeePerGas", blocks.max_priority_fee, "the suggested tip"),
    Method("eth_baseFee", blocks.base_fee, "the base fee of the next block"),
    Method("eth_blobBaseFee", blocks.blob_base_fee, "the blob base fee; the minimum on Coinone chains"),
    Method("eth_feeHistory", fee_history.fee_history, "base fees, gas used, percentiles of tips"),
)
_SENDING = (
    Method(
        "eth_sendRawTransaction",
        send.send_raw_transaction,
        "submit a signed transaction; exchange actions (0x70, 0x71) and reporters' prices (0x72) too",
    ),
    Method(
        "eth_sendRawTransactionSync",
        send.send_raw_transaction_sync,
        f"EIP-7966: submit it and wait for its receipt, {SYNC_TIMEOUT_S:g} s, at most {SYNC_TIMEOUT_MAX_S:g}; "
        f"{SYNC_WAITS_PER_SENDER_MAX} concurrently per sender",
    ),
    Method("eth_fillTransaction", fill_methods.fill_transaction, "the transaction ready to be signed", DEAR),
)
_LOGS = (
    Method("eth_getLogs", logs.get_logs, f"at most {LOG_RESULTS_MAX:,}, of {LOG_RANGE_MAX:,} blocks", DEAR),
    Method("eth_newFilter", logs.new_filter, "a filter of logs"),
    Method("eth_newBlockFilter", logs.new_block_filter, "a filter of blocks"),
    Method("eth_newPendingTransactionFilter", logs.new_pending_filter, "a filter of pending transactions"),
    Method("eth_getFilterChanges", logs.get_filter_changes, "the changes since the last poll", DEAR),
    Method("eth_getFilterLogs", logs.get_filter_logs, "all logs of a filter's range", DEAR),
    Method("eth_uninstallFilter", logs.uninstall_filter, "end a filter"),
    Method("eth_subscribe", subscriptions.subscribe, "newHeads, logs, newPendingTransactions, by WebSocket"),
    Method("eth_unsubscribe", subscriptions.unsubscribe, "end a subscription"),
)
_NODE = (
    Method("eth_chainId", send.chain_id, "the chain's id"),
    Method("eth_syncing", send.syncing, "false, or a follower's progress"),
    Method("eth_accounts", send.accounts, "none: a node holds no keys"),
    Method("eth_coinbase", send.coinbase, "the reward pool"),
    Method("eth_mining", send.mining, "false"),
    Method("eth_hashrate", send.hashrate, "0"),
    Method("eth_protocolVersion", send.protocol_version, "68"),
    Method("eth_config", config.config, "EIP-7910: the rules in force"),
    Method("eth_capabilities", config.capabilities, "which blocks and states are kept"),
    Method("eth_sign", send.no_keys, "refused (-32004): a node holds no keys"),
    Method("eth_signTransaction", send.no_keys, "refused (-32004)"),
    Method("eth_sendTransaction", send.no_keys, "refused (-32004)"),
    Method("rpc_modules", config.modules, "the namespaces"),
    Method("net_version", send.net_version, "the chain's id, in decimal"),
    Method("net_listening", send.net_listening, "true"),
    Method("net_peerCount", send.net_peer_count, "the number of connected nodes"),
    Method("web3_clientVersion", send.client_version, "the node's name and version"),
    Method("web3_sha3", send.sha3, "Keccak-256"),
)
_POOL = (
    Method("txpool_status", txpool.status, "the number of waiting transactions"),
    Method("txpool_content", txpool.content, "all waiting transactions; bounded, see below", DEAR),
    Method("txpool_inspect", txpool.inspect, "a line for each of them; bounded, see below", DEAR),
    Method("txpool_contentFrom", txpool.content_from, "the waiting transactions of one sender", DEAR),
    Method(
        "eth_pendingTransactions", txpool.pending_transactions, "all waiting transactions, in a list", DEAR
    ),
)
_DEBUG = (
    Method("debug_getRawBlock", debug.get_raw_block, "a block's bytes"),
    Method("debug_getRawHeader", debug.get_raw_header, "a header's bytes"),
    Method("debug_getRawReceipts", debug.get_raw_receipts, "the receipts' bytes"),
    Method("debug_getRawTransaction", blocks.get_raw_transaction, "a transaction's bytes"),
    Method("debug_traceTransaction", debug.trace_transaction, "the trace of a transaction", DEAR),
    Method("debug_traceCall", debug.trace_call, "the trace of a call", DEAR),
    Method(
        "debug_traceBlockByNumber", debug.trace_block_by_number, "the traces of a block's transactions", DEAR
    ),
    Method("debug_traceBlockByHash", debug.trace_block_by_hash, "the traces of a block's transactions", DEAR),
    Method("trace_block", parity.trace_block, "the calls of a block, in Parity's form", DEAR),
    Method("trace_transaction", parity.trace_transaction, "the calls of a transaction", DEAR),
)
_DEV = (
    Method("evm_mine", dev_methods.mine, "make a block now"),
    Method("evm_setNextBlockTimestamp", dev_methods.set_next_timestamp, "the time of the next block"),
    Method("evm_increaseTime", dev_methods.increase_time, "shift the time; `pending` sees it immediately"),
    Method("evm_snapshot", dev_methods.snapshot, "take a snapshot of the state"),
    Method("evm_revert", dev_methods.revert, "return to a snapshot"),
    Method("coinone_faucet", dev_methods.faucet, "10 gas coins and 10,000 quote"),
)

FAMILIES: dict[str, tuple[Method, ...]] = {
    "State and calls": _STATE,
    "Blocks and transactions": _BLOCKS,
    "Fees": _FEES,
    "Sending": _SENDING,
    "Logs and subscriptions": _LOGS,
    "Node": _NODE,
    "Pool": _POOL,
    "Debug": _DEBUG,
}
METHODS: dict[str, Method] = {method.name: method for family in FAMILIES.values() for method in family}
DEV_METHODS: dict[str, Method] = {method.name: method for method in _DEV}


def methods_of(network: Network) -> dict[str, Method]:
    """The methods served by a node of `network`: time travel and the faucet exist on dev only."""
    return METHODS | DEV_METHODS if network.is_dev else METHODS


def modules_of(methods: dict[str, Method]) -> tuple[str, ...]:
    """The namespaces of the methods, in order."""
    return tuple(sorted({name.partition("_")[0] for name in methods}))
