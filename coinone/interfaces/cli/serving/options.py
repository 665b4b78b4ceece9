"""The options that `coinone up` and `coinone node` share, and the settings that they make.

`node_settings` declares each option once; `takes_node_options` gives them to a command in addition to its own.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE
from coinone.node.limits import MAP_MIB

if TYPE_CHECKING:
    from coinone.interfaces.cli.serving.settings import NodeSettings

DATA = Path("data")
DataDir = Annotated[Path, typer.Option("--data-dir", help="The data folder.", envvar="COINONE_DATA_DIR")]
HttpPort = Annotated[
    int,
    typer.Option(
        "--http-port", "--port", help="Port of the pages, the exchange API and /rpc.", min=0, max=65535
    ),
]
RpcPort = Annotated[int, typer.Option("--rpc-port", help="Port of Ethereum JSON-RPC.", min=0, max=65535)]
Bind = Annotated[
    list[str] | None, typer.Option("--bind", help="Address to listen on (repeatable). Default: loopback.")
]
AllowHost = Annotated[
    list[str] | None, typer.Option("--allow-host", help="Another name to accept in Host (repeatable).")
]
AllowOrigin = Annotated[
    list[str] | None, typer.Option("--allow-origin", help="Another web origin to accept (repeatable).")
]
Listen = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="[HOST:]PORT",
        help="Accept followers at this address; without HOST, only from this computer. Connections are encrypted, and "
        "anybody who can connect can read the chain.",
    ),
]
Vm = Annotated[
    str,
    typer.Option(
        "--vm",
        help="Engine for contracts: native, jit (compiles frequently run ones), reference, or two to compare, "
        "such as native+jit.",
    ),
]
VmVerify = Annotated[
    bool,
    typer.Option("--vm-verify", help="Also run the reference engine and stop at any difference. Slow."),
]
Weight = Annotated[
    int,
    typer.Option("--request-weight", help="Request weight that a remote address may use in a minute.", min=1),
]
TrustedProxy = Annotated[
    list[str] | None,
    typer.Option("--trusted-proxy", help="Reverse proxy whose X-Forwarded-For is believed (repeatable)."),
]
MapMib = Annotated[
    int,
    typer.Option(
        "--map-mib", help="Largest size of the database in MiB: address space, not disk.", min=1, max=2**26
    ),
]
ArchiveState = Annotated[
    bool,
    typer.Option("--archive", help="Keep the state of every block from now on instead of the newest 256."),
]


def node_settings(
    data_dir: DataDir = DATA,
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
) -> "NodeSettings":
    """The settings of a dev node that follows nobody. Raises InvalidInput."""
    from coinone.interfaces.cli.serving.settings import NodeSettings, parse_engine
    from coinone.node.network.addresses import parse_listen

    return NodeSettings(
        data_dir,
        "dev",
        http_port,
        rpc_port,
        tuple(bind or ()),
        tuple(allow_host or ()),
        tuple(allow_origin or ()),
        parse_listen(listen) if listen else None,
        engine=parse_engine(vm, vm_verify),
        request_weight=request_weight,
        map_mib=map_mib,
        archive=archive,
        proxies=tuple(trusted_proxy or ()),
    )


def takes_node_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the command's first parameter, the settings, by the options that make them, after its own."""
    shared = inspect.signature(node_settings).parameters
    own = list(inspect.signature(command).parameters.values())[1:]
    options = [*own, *shared.values()]

    def run(**given: Any) -> None:
        settings = node_settings(**{name: given.pop(name) for name in shared})
        command(settings, **given)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {option.name: option.annotation for option in options}
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return run
