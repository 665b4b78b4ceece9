"""What we take for granted of uvicorn's private classes (decision 17), name by name: a new version that has one
otherwise fails here, before it fails half way in a connection.
"""

import ast
import asyncio
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from coinone.interfaces.api.sockets import protocols, slow_readers
from coinone.interfaces.api.sockets.protocols import HttpProtocol, WebSocketProtocol

OVERRIDDEN = {
    HttpToolsProtocol: {
        "connection_made": "(transport)",
        "connection_lost": "(exc)",
        "pause_writing": "()",
        "resume_writing": "()",
        "eof_received": "()",
        "data_received": "(data)",
        "on_message_begin": "()",
        "on_headers_complete": "()",
        "on_body": "(body)",
        "on_message_complete": "()",
        "on_response_complete": "()",
        "handle_websocket_upgrade": "()",
    },
    WebSocketsSansIOProtocol: {
        "connection_made": "(transport)",
        "connection_lost": "(exc)",
        "resume_writing": "()",
        "pause_writing": "()",
        "eof_received": "()",
        "data_received": "(data)",
        "handle_connect": "(event)",
        "handle_text": "(event)",
        "handle_bytes": "(event)",
        "handle_cont": "(event)",
        "handle_ping": "()",
        "handle_pong": "(event)",
        "send": "(message)",
        "send_keepalive_ping": "()",
        "keepalive_timeout": "()",
    },
}
"""Methods of uvicorn's that ours stand before, with what uvicorn hands them."""

USED = {
    HttpToolsProtocol: {
        "app", "config", "cycle", "flow", "headers", "loop", "parser", "pipeline", "send_400_response",
        "transport", "url",
    },
    WebSocketsSansIOProtocol: {
        "app", "close_sent", "config", "connections", "disconnected", "handshake_complete", "initial_response",
        "loop", "pong_timer", "read_paused", "transport", "writable",
    },
}  # fmt: skip
"""What ours read or set of uvicorn's."""

OURS = {HttpToolsProtocol: HttpProtocol, WebSocketsSansIOProtocol: WebSocketProtocol}
both = pytest.mark.parametrize("theirs", OURS)


def test_the_package_takes_no_version_that_was_not_looked_at():
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    bound = next(line for line in project["dependencies"] if line.startswith("uvicorn"))
    major, minor, _ = version("uvicorn").split(".")
    assert bound == f"uvicorn>={major}.{minor},<{major}.{int(minor) + 1}"


@both
def test_each_method_that_ours_stands_before_is_uvicorns_and_takes_the_same(theirs):
    found = {}
    for name in vars(theirs).keys() & {name for kind in OURS[theirs].__mro__[:3] for name in vars(kind)}:
        if not name.startswith("__"):
            parameters = list(inspect.signature(getattr(theirs, name)).parameters)[1:]
            found[name] = f"({', '.join(parameters)})"
    assert found == OVERRIDDEN[theirs]


@both
def test_what_ours_read_is_there_once_a_connection_is_made(theirs):
    async def made():
        connection = theirs(Config(protocols), ServerState(), {})  # type: ignore[arg-type]
        if theirs is HttpToolsProtocol:
            connection.on_message_begin()
        return connection

    connection = asyncio.run(made())
    assert {name for name in USED[theirs] if not hasattr(connection, name)} == set()


def names_of_self(kind: type) -> set[str]:
    tree = ast.parse(inspect.getsource(inspect.getmodule(kind)))  # type: ignore[arg-type]
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


@both
def test_nothing_else_of_uvicorn_is_used_unseen(theirs):
    ours = OURS[theirs].__mro__[:3]
    assert [kind.__module__ for kind in ours] == [protocols.__name__] * 2 + [slow_readers.__name__]
    named = {name for kind in ours for name in names_of_self(kind)}
    own = {name for kind in ours for name in vars(kind)}
    assert named - own == USED[theirs]


def test_an_answer_is_written_by_a_cycle_that_can_be_given_another_transport():
    parameters = inspect.signature(RequestResponseCycle.__init__).parameters
    assert {"scope", "transport", "flow", "on_response"} <= parameters.keys()
    assert {"transport", "scope", "response_complete"} <= set(
        RequestResponseCycle.__init__.__code__.co_names
    )  # what it keeps of itself
