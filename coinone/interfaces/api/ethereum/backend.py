"""What the JSON-RPC handlers work with."""

from dataclasses import dataclass

from coinone.interfaces.api.ethereum.calls import Calls
from coinone.interfaces.api.ethereum.chain_reads import ChainReads
from coinone.interfaces.api.ethereum.log_methods import Filters
from coinone.node.runtime.node import Node


@dataclass(frozen=True, slots=True)
class EthereumBackend:
    node: Node
    reads: ChainReads
    calls: Calls
    filters: Filters
    client_version: str
