"""`coinone up` and `coinone node`: check what was asked for, then open the chain and serve it.

The node's own modules are imported late: importing them compiles the kernels at the very first start, and a
wrong flag should not have to wait for that.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.serving.doors import open_doors
from coinone.interfaces.cli.serving.settings import Settings
from coinone.node.networks import load_network
from coinone.node.storage.folder_lock import FILE as LOCK_FILE
from coinone.node.storage.folder_lock import FolderLock
from coinone.rules.chain.network import Network, require_launched

if TYPE_CHECKING:
    from coinone.node.node import Node


def run(settings: Settings, demo: bool, reset: bool) -> None:
    """Serve until a signal comes. Raises CoinoneError with what the user can do about it."""
    config = settings.api_config()  # refuses what may not be bound before anything is opened
    network = load_network(settings.network)
    require_launched(network)
    console = Console()
    # first of all, so that a busy port is named before anything is made or moved
    with open_doors(config, settings.listen) as doors:
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


def _opened(network: Network, settings: Settings, console: Console) -> "Node":
    """The node on its folder; a folder of another version is built again from its blocks first."""
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


def _rebuild(network: Network, settings: Settings, console: Console) -> None:
    """Raises StorageError, which says what is left to do."""
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
    console.print(f"{count} blocks executed again; the data folder is of this version now", soft_wrap=True)


def _set_aside(data_dir: Path, console: Console) -> None:
    """Move an old data folder out of the way; it is never deleted."""
    if not data_dir.exists():
        return
    if not (data_dir / LOCK_FILE).exists():
        raise InvalidInput(f"{data_dir} does not look like a data folder of Coinone; --reset left it alone")
    lock = FolderLock(data_dir)  # refuses while a node runs there
    try:
        backup = data_dir.with_name(f"{data_dir.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        data_dir.rename(backup)
    finally:
        lock.release()
    console.print(f"the old data is in {backup}", soft_wrap=True)
