"""`coinone network`: a federation of several members on this computer, to watch and to break."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Run a federation of several members on this computer.", no_args_is_help=True)

MEMBERS_MAX = 9  # more do not keep up with four batches a second on two cores

Folder = Annotated[
    Path, typer.Option("--data-dir", help="The network's folder.", envvar="COINONE_NETWORK_DIR")
]
Name = Annotated[str, typer.Argument(help="A member, such as member0.")]
_DATA = Path("data-network")


@app.command("up")
def up(
    members: Annotated[
        int, typer.Option("--members", help="How many members, at the first start.", min=1, max=MEMBERS_MAX)
    ] = 4,
    data_dir: Folder = _DATA,
    http_port: Annotated[
        int,
        typer.Option("--http-port", help="The first member's port, at the first start.", min=1, max=65_000),
    ] = 3101,
) -> None:
    """Start the members and keep them running until Ctrl-C."""
    from coinone.interfaces.cli.serving.local_network import Settings, run

    run(data_dir, Settings(members, http_port))


@app.command("kill")
def kill(name: Name, data_dir: Folder = _DATA) -> None:
    """Kill a member as a power cut does; it starts again after three seconds."""
    from coinone.interfaces.cli.serving.local_network import kill

    kill(data_dir, name)


@app.command("stop")
def stop(name: Name, data_dir: Folder = _DATA) -> None:
    """Stop a member until `coinone network start`."""
    from coinone.interfaces.cli.serving.local_network import stop

    stop(data_dir, name)


@app.command("start")
def start(name: Name, data_dir: Folder = _DATA) -> None:
    """Start a member that was stopped."""
    from coinone.interfaces.cli.serving.local_network import start

    start(data_dir, name)
