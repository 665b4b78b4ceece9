"""`coinone ethereum`: import and serve Ethereum test chains, under Ethereum's block rules.

As with geth: `init` with a genesis file, `import` what `geth export` wrote, then serve it.
"""

from pathlib import Path
from typing import Annotated

import typer

from coinone.interfaces.cli.serving.options import AllowHost, AllowOrigin, Bind, RpcPort

app = typer.Typer(help="Import an Ethereum test chain and serve it by JSON-RPC.", no_args_is_help=True)

DataDir = Annotated[
    Path, typer.Option("--data-dir", "--datadir", help="The data folder.", envvar="COINONE_ETHEREUM_DIR")
]
_DATA = Path("data-ethereum")


@app.command("init")
def init(
    genesis: Annotated[Path, typer.Argument(help="geth's genesis.json.")], data_dir: DataDir = _DATA
) -> None:
    """Create a chain from a genesis file."""
    from coinone.node.imported.chain import init_chain
    from coinone.node.imported.chain_file import read_json

    chain = init_chain(data_dir, read_json(genesis))
    typer.echo(f"block {chain.head.number} 0x{chain.head.hash.hex()}")
    chain.close()


@app.command("import")
def import_(
    chain_file: Annotated[Path, typer.Argument(help="Blocks as `geth export` writes them.")],
    data_dir: DataDir = _DATA,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", help="For blocks before Cancun: their receipts and the state after them."
        ),
    ] = None,
    archive: Annotated[
        bool, typer.Option("--archive", help="Keep the state of every block instead of the newest 256.")
    ] = False,
) -> None:
    """Verify, execute and commit blocks one by one; blocks already imported are skipped."""
    from coinone.node.imported.chain import open_chain
    from coinone.node.imported.chain_file import read_blocks, read_checkpoint

    chain = open_chain(data_dir, archive)
    try:
        given = None if checkpoint is None else read_checkpoint(checkpoint)
        count = sum(chain.add(raw, given) for raw in read_blocks(chain_file))
        typer.echo(f"{count} blocks imported; head {chain.head.number} 0x{chain.head.hash.hex()}")
    finally:
        chain.close()


@app.command("node")
def node(
    data_dir: DataDir = _DATA,
    rpc_port: RpcPort = 8545,
    bind: Bind = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    vm: Annotated[str, typer.Option("--vm", help="Engine for contracts, as for `coinone node`.")] = "native",
    vm_verify: Annotated[bool, typer.Option("--vm-verify", help="As for `coinone node`.")] = False,
) -> None:
    """Serve the imported chain. Transactions sent to it stay in the pool: no further block is made."""
    from coinone.interfaces.api.config import ApiConfig
    from coinone.interfaces.cli.serving.serve_ethereum import serve
    from coinone.interfaces.cli.serving.settings import parse_engine

    hosts, origins = tuple(allow_host or ()), tuple(allow_origin or ())
    config = ApiConfig(
        ethereum_port=rpc_port, bind=tuple(bind or ()) or ApiConfig().bind, hosts=hosts, origins=origins
    )
    serve(data_dir, config, parse_engine(vm, vm_verify))
