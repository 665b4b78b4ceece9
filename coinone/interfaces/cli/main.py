"""`coinone`: the table of commands. Each command's work and imports are in its own module."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coinone import __version__
from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.cli import account
from coinone.interfaces.cli.serving import ethereum
from coinone.interfaces.cli.serving.network import app as network_app
from coinone.interfaces.cli.serving.options import DATA, DataDir, takes_node_options
from coinone.interfaces.client.errors import NoAnswer

if TYPE_CHECKING:
    from coinone.interfaces.cli.serving.settings import NodeSettings

app = typer.Typer(
    name="coinone",
    help="A futures exchange that is a blockchain. `coinone up` starts a local one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(account.app, name="account")
app.add_typer(ethereum.app, name="ethereum")
app.add_typer(network_app, name="network")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"coinone {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    pass


Network = Annotated[str, typer.Option("--network", help="dev, test or main.")]
Url = Annotated[str, typer.Option("--url", help="The node's exchange API.")]

# Four minutes of the demo market: `coinone replay` works without recording first.
SAMPLE_TAPE = Path(__file__).resolve().parents[1] / "demo" / "demo.tape"
_URL = "http://localhost:3001"


@app.command()
@takes_node_options
def up(
    settings: "NodeSettings",
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Run a demo market of makers and takers.")
    ] = True,
    reset: Annotated[
        bool, typer.Option("--reset", help="Start with an empty data folder; the old one is renamed.")
    ] = False,
) -> None:
    """Start a local exchange: node, APIs, trading page and demo market (dev network)."""
    from coinone.interfaces.cli.serving.up import run

    run(settings, demo=demo, reset=reset)


@app.command()
@takes_node_options
def node(
    settings: "NodeSettings",
    network: Network = "dev",
    follow: Annotated[
        list[str] | None,
        typer.Option(
            "--follow",
            metavar="HOST:PORT[#KEY]",
            help="Take batches and blocks from this node (repeatable); with KEY, only if it proves that key.",
        ),
    ] = None,
) -> None:
    """Run a node and its APIs; with --follow, execute and check the batches of another node."""
    from coinone.interfaces.cli.serving.up import run
    from coinone.node.network.addresses import parse_followed

    followed = tuple(parse_followed(text) for text in follow or ())
    run(replace(settings, network=network, follow=followed), demo=False, reset=False)


@app.command()
def verify(
    data_dir: DataDir = DATA,
    network: Network = "dev",
) -> None:
    """Execute the stored chain again from genesis and compare every root. The node must be stopped."""
    from coinone.interfaces.cli.verify import run

    run(data_dir, network)


@app.command()
def record(
    tape: Annotated[Path, typer.Argument(help="The file to write.")],
    url: Url = _URL,
    seconds: Annotated[
        float, typer.Option("--seconds", help="Seconds of trading to record, in batch time.", min=0.25)
    ] = 60.0,
    first: Annotated[
        int | None, typer.Option("--from-batch", help="First batch to record. Default: the next one.")
    ] = None,
) -> None:
    """Record the trading on a running node to a tape."""
    from coinone.interfaces.cli.tapes.record import run

    run(tape, url, seconds, first)


@app.command()
def replay(
    tape: Annotated[
        Path,
        typer.Argument(
            help="A recording by `coinone record`. Default: the sample in the package.", show_default=False
        ),
    ] = SAMPLE_TAPE,
    url: Annotated[
        str | None, typer.Option("--url", help="Play to this running dev node instead of in this process.")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", help="With --url: speed-up factor.", min=0.01)] = 1.0,
) -> None:
    """Play a tape in this process, at full speed, or to a running dev node."""
    if url is None:
        from coinone.interfaces.cli.tapes.replay import run

        run(tape)
    else:
        from coinone.interfaces.cli.tapes.replay_to_node import run as run_there

        run_there(tape, url, speed)


@app.command()
def warm() -> None:
    """Compile all kernels now, so that a running node never has to wait for the compiler."""
    from coinone.interfaces.cli.warm import run

    run()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a benchmark or of a group; default: all.")] = "",
) -> None:
    """Run the benchmarks of a source checkout and print their tables."""
    from coinone.interfaces.cli.bench import run

    run(name, context.args)


def main() -> None:
    """Run a command; a user's mistake is reported as a sentence on standard error, without a traceback."""
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
