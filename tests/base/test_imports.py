"""What a member, a light client or a wallet imports brings no engine with it: no numba, no rules of the exchange."""

import subprocess
import sys

import pytest

ENGINES = (
    "numba",
    "llvmlite",
    "coinone.rules.exchange",
    "coinone.rules.vm",
    "coinone.rules.state",
    "coinone.node",
)


def modules_loaded_by(module: str) -> set[str]:
    """In a fresh process: what another test imported does not count."""
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "coinone.protocols.sequencer.sequencer",
        "coinone.protocols.member.member",
        "coinone.protocols.relay.relay",
        "coinone.interfaces.client",
        "coinone.base.forms.exchange",
    ],
)
def test_words_are_imported_without_the_engines(module: str) -> None:
    loaded = modules_loaded_by(module)
    assert module in loaded
    assert [engine for engine in ENGINES if engine in loaded] == []


def test_the_engine_itself_is_seen() -> None:
    """What the test above looks for is found where it is."""
    assert "numba" in modules_loaded_by("coinone.rules.exchange.rows.arrays")
