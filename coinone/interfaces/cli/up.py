"""`coinone up` and `coinone node`: check what was asked for, then open the chain and serve it.

The node's own modules are imported late: importing them compiles the kernels at the very first start, and a
wrong flag should not have to wait for that.
"""

import time
from pathlib import Path

from rich.console import Console

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.settings import Settings
from coinone.node.runtime.networks import load_network
from coinone.node.storage.folder_lock import FILE as LOCK_FILE
from coinone.node.storage.folder_lock import FolderLock
from coinone.rules.chain.network import require_launched


def run(settings: Settings, demo: bool, reset: bool) -> None:
    """Serve until a signal comes. Raises CoinoneError with what the user can do about it."""
    config = settings.api_config()  # refuses what may not be bound before anything is opened
    network = load_network(settings.network)
    require_launched(network)
    console = Console()
    if reset:
        _set_aside(settings.data_dir, console)
    with console.status("opening the chain (the very first start compiles the kernels: a minute)"):
        from coinone.interfaces.cli.serve import open_node, serve

        node = open_node(network, settings)
    try:
        serve(node, settings, config, demo, console)
    finally:
        node.stop()
    console.print("stopped; everything that was answered is on disk")


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
