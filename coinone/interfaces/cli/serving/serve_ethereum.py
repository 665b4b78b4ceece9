"""Serve an imported Ethereum chain until a signal arrives."""

from pathlib import Path

import typer

from coinone.interfaces.api.app import RpcApp
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.ethereum_service import EthereumService
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.interfaces.cli.serving.signals import stop_on_signals
from coinone.node.compiling import serving_engine
from coinone.node.executor.workers import end_workers
from coinone.node.imported.node import EthereumNode


def serve(data_dir: Path, config: ApiConfig, engine: str) -> None:
    """Serve until a signal arrives. Raises AddressInUse, InvalidInput or StorageError."""
    listeners = open_listeners(config, exchange=False)
    node = EthereumNode(data_dir, serving_engine(engine))
    try:
        server = ApiServer(RpcApp(EthereumService(node, config.request_weight), config), listeners)
        stopping = stop_on_signals()
        server.start()
        try:
            head, network = node.head, node.network
            typer.echo(f"Ethereum  http://localhost:{server.ethereum_port}  JSON-RPC, read only")
            typer.echo(f"chain id  {network.chain_id}, block {head.number} 0x{head.hash.hex()}")
            stopping.wait()
        finally:
            server.stop()
            end_workers()
    finally:
        node.stop()
