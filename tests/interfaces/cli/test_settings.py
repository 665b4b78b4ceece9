"""A development node stays on this computer, and says what to do instead."""

from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.serving.settings import NodeSettings, parse_engine


def settings(network: str = "dev", bind: tuple[str, ...] = (), http_port: int = 3001) -> NodeSettings:
    return NodeSettings(Path("data"), network, http_port, 8545, bind, (), ())


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "8.8.8.8"])
def test_a_dev_node_refuses_to_listen_beyond_loopback(address: str) -> None:
    with pytest.raises(InvalidInput, match="public"):
        settings(bind=("127.0.0.1", address)).api_config()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.2"])
def test_loopback_addresses_are_fine(address: str) -> None:
    assert settings(bind=(address,)).api_config().bind == (address,)


def test_without_bind_both_loopbacks_are_used() -> None:
    assert settings().api_config().bind == ("127.0.0.1", "::1")


def test_a_name_instead_of_an_address_is_explained() -> None:
    with pytest.raises(InvalidInput, match="--bind takes an IP address"):
        settings(bind=("localhost",)).api_config()


def test_one_port_cannot_be_two() -> None:
    with pytest.raises(InvalidInput, match="must differ"):
        settings(http_port=8545).api_config()


@pytest.mark.parametrize(
    ("text", "verify", "engine"),
    [
        ("jit", False, "jit"),
        ("native+jit", False, "native+jit"),
        ("jit", True, "reference+jit"),
        ("reference", True, "reference+native"),
    ],
)
def test_an_engine_is_itself_or_held_against_another(text: str, verify: bool, engine: str) -> None:
    assert parse_engine(text, verify) == engine


@pytest.mark.parametrize("text", ["", "geth", "native+", "+jit", "native+geth", "native+jit+reference"])
def test_an_engine_nobody_knows_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidInput, match="native, jit, reference"):
        parse_engine(text, verify=False)


def test_a_pair_is_not_held_against_a_third() -> None:
    with pytest.raises(InvalidInput, match="--vm names two"):
        parse_engine("native+jit", verify=True)
