"""Read a network's file from the package, by name."""

from importlib.resources import files

from coinone.base.primitives.errors import InvalidInput
from coinone.rules.chain.network import Network, parse_network

NAMES = ("dev", "test", "main")
_FOLDER = files("coinone.rules.chain").joinpath("networks")


def load_network(name: str) -> Network:
    """The network `name`. Raises InvalidInput for an unknown one."""
    if name not in NAMES:
        raise InvalidInput("unknown network", have=name, known=", ".join(NAMES))
    return parse_network(_FOLDER.joinpath(f"{name}.toml").read_text(), _read)


def _read(file: str) -> str:
    return _FOLDER.joinpath(file).read_text()
