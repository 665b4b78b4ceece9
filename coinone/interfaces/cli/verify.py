"""`coinone verify`: execute the stored chain again from genesis and compare every root."""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.node.networks import load_network
from coinone.node.storage.folder_lock import FILE as LOCK_FILE


def run(data_dir: Path, network_name: str) -> None:
    """Verify a whole chain. Raises StorageError at the first block whose roots differ from the stored ones."""
    network = load_network(network_name)
    if not (data_dir / LOCK_FILE).exists():
        raise InvalidInput(f"no chain in {data_dir}; --data-dir names another folder")
    console = Console()
    with console.status("opening the chain"):
        from coinone.node.node import MAP_SIZE_BYTES
        from coinone.node.recovery.startup import identity_of
        from coinone.node.recovery.verify import verify_chain
        from coinone.node.storage.storage import open_storage

        storage = open_storage(data_dir, identity_of(network), MAP_SIZE_BYTES)
    began = time.perf_counter()
    try:
        stored = storage.blocks.head()
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("executing blocks", total=0 if stored is None else stored.number)
            head = verify_chain(
                network, storage, lambda header: progress.update(task, completed=header.number)
            )
    finally:
        storage.close()
    seconds = time.perf_counter() - began
    console.print(
        f"{head.number} blocks, {head.batch_seq} batches executed again in {seconds:.1f} s: all roots match",
        soft_wrap=True,
    )
    console.print(
        f"state    0x{head.state_root.hex()}\nexchange 0x{head.exchange_root.hex()}", soft_wrap=True
    )
