"""`coinone`: the table of commands. Each command's work, and its imports, are in a file of its own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from coinone import __version__
from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE
from coinone.interfaces.cli import account
from coinone.interfaces.cli.serving import ethereum
from coinone.interfaces.client.errors import NoAnswer
from coinone.node.limits import MAP_MIB

app = typer.Typer(
    name="coinone",
    help="A futures exchange that is a blockchain. `coinone up` starts one on this computer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(account.app, name="account")
app.add_typer(ethereum.app, name="ethereum")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"coinone {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    pass


DataDir = Annotated[Path, typer.Option("--data-dir", help="Where the chain lies.", envvar="COINONE_DATA_DIR")]
Url = Annotated[str, typer.Option("--url", help="The node's exchange API.")]
HttpPort = Annotated[
    int, typer.Option("--http-port", "--port", help="Pages, exchange API and /rpc.", min=0, max=65535)
]
RpcPort = Annotated[int, typer.Option("--rpc-port", help="Ethereum JSON-RPC.", min=0, max=65535)]
Bind = Annotated[
    list[str] | None, typer.Option("--bind", help="Address to listen on (repeatable). Default: loopback.")
]
AllowHost = Annotated[list[str] | None, typer.Option("--allow-host", help="Further name that Host may have.")]
AllowOrigin = Annotated[
    list[str] | None, typer.Option("--allow-origin", help="Further web page that may call.")
]
Listen = Annotated[
    str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where other nodes may follow this one.")
]
Follow = Annotated[
    list[str] | None,
    typer.Option(
        "--follow", metavar="HOST:PORT", help="A node to take batches and blocks from (repeatable)."
    ),
]
Vm = Annotated[
    str,
    typer.Option(
        "--vm",
        help="Engine for contracts: native, jit (compiles those that run often), reference, or two to be compared, "
        "as native+jit.",
    ),
]
VmVerify = Annotated[
    bool,
    typer.Option("--vm-verify", help="Run the reference beside the engine; stop at any difference. Slow."),
]

Weight = Annotated[
    int,
    typer.Option(
        "--request-weight", help="What an address beyond this computer may ask for in a minute.", min=1
    ),
]

TrustedProxy = Annotated[
    list[str] | None,
    typer.Option("--trusted-proxy", help="Address of a reverse proxy that says who asks (X-Forwarded-For)."),
]

MapMib = Annotated[
    int,
    typer.Option(
        "--map-mib", help="Most that the database may grow to: address space, not disk.", min=1, max=2**26
    ),
]

ArchiveState = Annotated[
    bool,
    typer.Option("--archive", help="Keep the state of every block from now on, not of the newest 256 only."),
]

# Four minutes of the demo market, so that there is something to play at once.
SAMPLE_TAPE = Path(__file__).resolve().parents[1] / "demo" / "demo.tape"
_DATA = Path("data")
_URL = "http://localhost:3001"


@app.command()
def up(
    data_dir: DataDir = _DATA,
    http_port: HttpPort = 3001,
    rpc_port: RpcPort = 8545,
    bind: Bind = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    listen: Listen = None,
    vm: Vm = "native",
    vm_verify: VmVerify = False,
    request_weight: Weight = REQUEST_WEIGHT_PER_MINUTE,
    trusted_proxy: TrustedProxy = None,
    map_mib: MapMib = MAP_MIB,
    archive: ArchiveState = False,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Makers and takers to trade with.")] = True,
    reset: Annotated[bool, typer.Option("--reset", help="Start afresh; the old data is kept aside.")] = False,
) -> None:
    """Start an exchange of one's own: node, APIs, trading page and demo market, on the dev network."""
    from coinone.interfaces.cli.serving.settings import Settings, parse_engine
    from coinone.interfaces.cli.serving.up import run
    from coinone.node.network.peers import parse_endpoint

    hosts, origins = tuple(allow_host or ()), tuple(allow_origin or ())
    peers = parse_endpoint(listen) if listen else None
    settings = Settings(
        data_dir,
        "dev",
        http_port,
        rpc_port,
        tuple(bind or ()),
        hosts,
        origins,
        peers,
        engine=parse_engine(vm, vm_verify),
        request_weight=request_weight,
        map_mib=map_mib,
        archive=archive,
        proxies=tuple(trusted_proxy or ()),
    )
    run(settings, demo=demo, reset=reset)


@app.command()
def node(
    network: Annotated[str, typer.Option("--network", help="dev, test or main.")] = "dev",
    data_dir: DataDir = _DATA,
    http_port: HttpPort = 3001,
    rpc_port: RpcPort = 8545,
    bind: Bind = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    listen: Listen = None,
    follow: Follow = None,
    vm: Vm = "native",
    vm_verify: VmVerify = False,
    request_weight: Weight = REQUEST_WEIGHT_PER_MINUTE,
    trusted_proxy: TrustedProxy = None,
    map_mib: MapMib = MAP_MIB,
    archive: ArchiveState = False,
) -> None:
    """Run a node and its APIs, without the demo market; with --follow, one that checks what others make."""
    from coinone.interfaces.cli.serving.settings import Settings, parse_engine
    from coinone.interfaces.cli.serving.up import run
    from coinone.node.network.peers import parse_endpoint

    hosts, origins = tuple(allow_host or ()), tuple(allow_origin or ())
    peers = parse_endpoint(listen) if listen else None
    followed = tuple(parse_endpoint(text) for text in follow or ())
    settings = Settings(
        data_dir,
        network,
        http_port,
        rpc_port,
        tuple(bind or ()),
        hosts,
        origins,
        peers,
        followed,
        parse_engine(vm, vm_verify),
        request_weight,
        map_mib,
        archive,
        tuple(trusted_proxy or ()),
    )
    run(settings, demo=False, reset=False)


@app.command()
def verify(
    data_dir: DataDir = _DATA,
    network: Annotated[str, typer.Option("--network", help="dev, test or main.")] = "dev",
) -> None:
    """Execute the stored chain again from genesis and compare every root. The node must be stopped."""
    from coinone.interfaces.cli.verify import run

    run(data_dir, network)


@app.command()
def record(
    tape: Annotated[Path, typer.Argument(help="The file to write.")],
    url: Url = _URL,
    seconds: Annotated[
        float, typer.Option("--seconds", help="How much trading, in the chain's time.", min=0.25)
    ] = 60.0,
    first: Annotated[
        int | None, typer.Option("--from-batch", help="Begin in the past. Default: now.")
    ] = None,
) -> None:
    """Write the trading on a running node to a tape."""
    from coinone.interfaces.cli.tapes.record import run

    run(tape, url, seconds, first)


@app.command()
def replay(
    tape: Annotated[
        Path, typer.Argument(help="What `coinone record` wrote. Default: the tape of the package.")
    ] = SAMPLE_TAPE,
    url: Annotated[
        str | None, typer.Option("--url", help="Play to this running dev node instead of in this process.")
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", help="With --url: how many times faster.", min=0.01)
    ] = 1.0,
) -> None:
    """Play a tape: to an exchange in this process, as fast as it goes, or to a running dev node."""
    if url is None:
        from coinone.interfaces.cli.tapes.replay import run

        run(tape)
    else:
        from coinone.interfaces.cli.tapes.replay_to_node import run as run_there

        run_there(tape, url, speed)


@app.command()
def warm() -> None:
    """Compile everything that is compiled, so that nothing has to be under a running market."""
    from coinone.interfaces.cli.warm import run

    run()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Which; all if left out.")] = ""
) -> None:
    """Run the benchmarks of a source checkout and print their tables."""
    from coinone.interfaces.cli.bench import run

    run(name, context.args)


def main() -> None:
    """Entry point: a user's mistake is a sentence on standard error, never a traceback."""
    try:
        app()
    except NoAnswer as error:
        _fail(f"{error}\nIs a node running? `coinone up` starts one; --url names another.")
    except CoinoneError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _fail(message: str) -> None:
    print(f"coinone: {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
