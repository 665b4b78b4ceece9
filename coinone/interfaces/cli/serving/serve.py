"""Run a node with its APIs, and the demo market as a child process, until a signal arrives."""

import asyncio
import gc
import logging
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from coinone.base.primitives import jit
from coinone.base.primitives.errors import StorageError
from coinone.base.primitives.parse import format_bytes
from coinone.interfaces.api.app import App
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.cli.serving.demo_process import DemoProcess
from coinone.interfaces.cli.serving.doors import OpenSockets
from coinone.interfaces.cli.serving.settings import NodeSettings
from coinone.interfaces.cli.serving.signals import stop_on_signals
from coinone.interfaces.client.dev import DEV_MNEMONIC, dev_keys
from coinone.interfaces.client.signing import Signer
from coinone.node.compiling import serving_engine
from coinone.node.executor.workers import end_workers
from coinone.node.health import clock_warning
from coinone.node.network.bootstrap import fetch_genesis
from coinone.node.network.peering import NOBODY_SEEN, Peering
from coinone.node.node import Node
from coinone.node.storage.folder_lock import FILE as LOCK_FILE
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.network import Network

WATCH_S = 0.5
GC_ALLOCATIONS = 50_000  # between two passes over the youngest generation: a few batches
_PAGE = Path(__file__).resolve().parents[2] / "api" / "static" / "index.html"


def open_node(network: Network, settings: NodeSettings) -> Node:
    """Open the node at its newest batch, with everything compiled. Raises CoinoneError."""
    jit.warm()
    engine = serving_engine(settings.engine)
    genesis = _genesis_of_peers(network, settings)
    return Node(
        network,
        settings.data_dir,
        map_size_bytes=settings.map_size_bytes,
        genesis=genesis,
        archive=settings.archive,
        must_lead=not settings.follow,
        engine=engine,
    )


def _genesis_of_peers(network: Network, settings: NodeSettings) -> Genesis | None:
    """The genesis for a follower's first start; later starts find it in the data folder."""
    if not settings.follow or (settings.data_dir / LOCK_FILE).exists():
        return None
    return asyncio.run(fetch_genesis(settings.follow[0], network.chain_id))


def serve(
    node: Node, settings: NodeSettings, doors: OpenSockets, config: ApiConfig, demo: bool, console: Console
) -> None:
    """Serve until a signal arrives. Raises StorageError when the disk fails."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    peering = Peering(node, doors.peers, settings.follow) if doors.peers or settings.follow else None
    server = ApiServer(App(node, config, lambda: peering.seen if peering else NOBODY_SEEN), doors.clients)
    stopping = stop_on_signals()
    calm_the_collector()
    warning = clock_warning(node)
    if warning is not None:
        console.print(f"[red]clock:[/red] {warning}", soft_wrap=True, highlight=False)
    node.start()
    if peering is not None:
        peering.start()
    server.start()
    market = DemoProcess(f"http://127.0.0.1:{server.exchange_port}", node.data_dir / "demo.log")
    try:
        _introduce(console, node, server, _about_peers(peering, settings), demo)
        _warn_of_unpinned(console, settings)
        reported = False
        while not stopping.wait(WATCH_S):
            if node.disk_failed:
                raise StorageError(
                    f"the node stopped because its disk failed: {node.halted}\n"
                    "Everything that was answered is on disk. Fix the cause, then start again."
                )
            if demo:
                market.keep_alive()
            if node.halted and not reported:
                reported = True
                console.print(
                    f"[red]batches stopped:[/red] {node.halted}\nReads continue. Ctrl-C stops the node."
                )
        console.print("stopping")
    finally:
        market.stop()
        server.stop()
        end_workers()
        if peering is not None:
            peering.stop()


def calm_the_collector() -> None:
    """Exempt everything loaded so far from garbage collection: it lives as long as the process, and a full pass over
    a node's objects would stop every thread for a tenth of a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 100)


def _introduce(
    console: Console, node: Node, server: ApiServer, peers: list[tuple[str, str, str]], demo: bool
) -> None:
    network = node.network
    http, rpc = f"localhost:{server.exchange_port}", f"localhost:{server.ethereum_port}"
    page = "trading page and exchange API" if _PAGE.exists() else "exchange API (`make page` builds the page)"
    rows = (
        ("exchange", f"http://{http}", page),
        ("", f"ws://{http}/ws", "streams, for Hyperliquid's SDK and ccxt"),
        ("Ethereum", f"http://{rpc}", "JSON-RPC, for MetaMask, web3.py, Foundry"),
        ("chain id", str(network.chain_id), f"network {network.name}, gas coin {network.gas_coin}"),
        *([("follows", "other nodes", "makes no batches itself")] if node.follows else []),
        *peers,
        ("data", str(node.data_dir.resolve()), f"block {node.view.head.number}, batch {node.view.seq}"),
    )
    for name, value, about in rows:
        _line(console, f"{name:<10}{value:<28}  {about}")
    if network.is_dev and not node.follows:  # a second node has the accounts of the first
        _list_accounts(console)
    market = "" if node.follows else f"demo market: {'on' if demo else 'off'}. "
    _line(console, f"\n{market}Ctrl-C stops the node; the next start continues from here.")


def _about_peers(peering: Peering | None, settings: NodeSettings) -> list[tuple[str, str, str]]:
    """A row with the key that others may pin."""
    if peering is None:
        return []
    listens = str(settings.listen) if settings.listen else "listens nowhere"
    return [("peers", listens, f"this node's key: {format_bytes(peering.public_key)}")]


def _warn_of_unpinned(console: Console, settings: NodeSettings) -> None:
    """Warn of nodes beyond this computer of which no key is known."""
    for followed in settings.follow:
        if followed.key is None and not followed.is_loopback:
            name = escape(str(followed))
            _line(
                console,
                f"[red]not pinned:[/red] anybody on the network path to {name} can answer instead of it. It prints its "
                f"key when it starts: --follow {name}#KEY",
            )


def _list_accounts(console: Console) -> None:
    _line(console, "\n[bold]Accounts: public, worthless.[/bold] Anyone can spend their balances.")
    for number, key in enumerate(dev_keys()):
        _line(console, f"{number}  {format_bytes(Signer(key).address)}  {format_bytes(key)}")
    _line(console, f"mnemonic: {DEV_MNEMONIC}")


def _line(console: Console, text: str) -> None:
    """Print a line without wrapping, so that addresses and keys can be copied."""
    console.print(text, soft_wrap=True, highlight=False)
