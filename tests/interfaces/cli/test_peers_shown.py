"""What a start says about peers: this node's key, and which followed nodes have none pinned."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from coinone.interfaces.cli.serving.serve import _warn_of_unpinned
from coinone.interfaces.cli.serving.settings import NodeSettings
from coinone.node.network.addresses import parse_followed


def test_a_followed_node_on_another_computer_without_a_pinned_key_is_warned_of() -> None:
    key = "0x" + "11" * 32
    texts = ("10.0.0.1:30301", "[fe80::1]:30301", f"10.0.0.2:30301#{key}", "127.0.0.1:30301", "localhost:1")
    followed = tuple(map(parse_followed, texts))
    out = StringIO()
    _warn_of_unpinned(Console(file=out), NodeSettings(Path("data"), "dev", 1, 2, (), (), (), follow=followed))
    first, second = out.getvalue().splitlines()
    assert first.endswith("--follow 10.0.0.1:30301#KEY")
    assert second.endswith("--follow [fe80::1]:30301#KEY")
