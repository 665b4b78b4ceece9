"""`coinone up` and `coinone node`: check the settings, then open the chain and serve it.

The node's own modules are imported late: importing them compiles the kernels at the very first start, and a
wrong option is reported without that wait.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.serving.doors import open_sockets
from coinone.interfaces.cli.serving.settings import NodeSettings
from coinone.node.networks import load_network
from coinone.node.storage.folder_lock import FILE as LOCK_FILE
from coinone.node.storage.folder_lock import FolderLock
from coinone.rules.chain.network import Network, require_launched

if TYPE_CHECKING:
    from coinone.node.node import Node


def run(settings: NodeSettings, demo: bool, reset: bool) -> None:
    """Serve until a signal arrives. Raises CoinoneError that says what the user can do."""
    config = settings.api_config()  # refuses what may not be bound before anything is opened
    network = load_network(settings.network)
    require_launched(network)
    console = Console()
    # first, so that a busy port is reported before any file is created or moved
    with open_sockets(config, settings.listen) as doors:
        if reset:
            _set_aside(settings.data_dir, console)
        with console.status("opening the chain (the very first start compiles the kernels: a minute)"):
            from coinone.interfaces.cli.serving.serve import serve
        node = _opened(network, settings, console)
        try:
            serve(node, settings, doors, config, demo, console)
        finally:
            node.stop()
    console.print("stopped; everything that was answered is on disk")


def _opened(network: Network, settings: NodeSettings, console: Console) -> "Node":
    """Open the node; a data folder of another format is first rebuilt from its blocks."""
    from coinone.interfaces.cli.serving.serve import open_node
    from coinone.node.storage.storage import OtherFormat

    try:
        with console.status("opening the chain (the very first start compiles the kernels: a minute)"):
            return open_node(network, settings)
    except OtherFormat as error:
        console.print(str(error), soft_wrap=True)
    _rebuild(network, settings, console)
    with console.status("opening the chain"):
        return open_node(network, settings)


def _rebuild(network: Network, settings: NodeSettings, console: Console) -> None:
    """Rebuild the data folder. Raises StorageError that says how to proceed."""
    from coinone.node.recovery.rebuild import rebuild

    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("executing blocks", total=None)
        count = rebuild(
            network,
            settings.data_dir,
            settings.map_size_bytes,
            lambda done, of: progress.update(task, completed=done, total=of),
            settings.archive,
        )
    console.print(
        f"{count} blocks executed again; the data folder now has this version's format", soft_wrap=True
    )


def _set_aside(data_dir: Path, console: Console) -> None:
    """Rename an old data folder; it is never deleted."""
    if not data_dir.exists():
        return
    if not (data_dir / LOCK_FILE).exists():
        raise InvalidInput(f"{data_dir} does not look like a data folder of Coinone; --reset left it alone")
    lock = FolderLock(data_dir)  # raises while a node uses it
    try:
        backup = data_dir.with_name(f"{data_dir.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        data_dir.rename(backup)
    finally:
        lock.release()
    console.print(f"the old data is in {backup}", soft_wrap=True)
