"""Behind nginx, configured exactly as docs/operating/reverse-proxy.md says, each client has its own request weight.

nginx runs here without TLS and sees all clients at 127.0.0.1, which is a trusted proxy: as in a chain of two proxies,
the first one names the client.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from coinone.interfaces.client.local import LocalNode, free_ports
from tests.functional.waiting import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx: apt-get install nginx"),
]

PAGE = Path(__file__).parents[3] / "docs" / "operating" / "reverse-proxy.md"
TRADER, STRANGER = "203.0.113.7", "203.0.113.9"
ROLE = {"type": "userRole", "user": "0x" + "11" * 20}  # of weight 60: 20 a minute


def documented(port: int, node_port: int, folder: Path) -> str:
    """The page's text, on another port and without a certificate."""
    text = next(
        block for block in re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL) if "server {" in block
    )
    text = re.sub(r"ssl_certificate.*\n", "", text).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:3001", f"127.0.0.1:{node_port}").replace("exchange.example", "localhost")
    places = "".join(f"{name}_temp_path {folder / name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        f"daemon off; pid {folder / 'pid'}; events {{}} http {{ access_log off; "
        f"client_body_temp_path {folder / 'body'}; {places} {text} }}"
    )


def status(proxy: str, method: str, path: str, body: object = None, **headers: str) -> int:
    """The status of an answer; 0 while nobody listens."""
    connection = http.client.HTTPConnection(proxy, timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()} | {
        "Content-Type": "application/json"
    }
    try:
        connection.request(method, path, json.dumps(body) if body else None, sent)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, (port,) = tmp_path_factory.mktemp("nginx"), free_ports(1)
    address = f"localhost:{port}"
    with LocalNode(arguments=("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "127.0.0.2")) as node:
        (folder / "conf").write_text(documented(port, node.port, folder))
        command = ["nginx", "-c", str(folder / "conf"), "-p", str(folder), "-e", str(folder / "errors")]
        nginx = subprocess.Popen(command)
        try:
            wait_for(lambda: status(address, "GET", "/health") == 200, "nginx answers for the node")
            yield address
        finally:
            nginx.terminate()
            nginx.wait(10)


def test_a_stranger_has_one_purse_whatever_headers_it_writes(proxy: str) -> None:
    """Twenty answers of weight 60, and no more: `Forwarded` names others, and the trader among them keeps its own."""
    answers = [
        status(
            proxy, "POST", "/info", ROLE, X_Forwarded_For=STRANGER, Forwarded=f"for={other}", X_Real_IP=other
        )
        for other in (TRADER, "198.51.100.1", "198.51.100.2") * 8
    ]
    assert answers.count(200) in (20, 21) and answers[-1] == 429  # the purse fills by 20 a second meanwhile
    assert status(proxy, "POST", "/info", ROLE, X_Forwarded_For=TRADER) == 200
    with connect(f"ws://{proxy}/ws", additional_headers={"X-Forwarded-For": STRANGER}) as socket:
        asked = {"method": "post", "id": 1, "request": {"type": "info", "payload": ROLE}}
        for _ in range(3):
            socket.send(json.dumps(asked))
        said = [json.loads(socket.recv(10))["data"]["response"] for _ in range(3)]
    assert [answer["type"] for answer in said].count("error") >= 2, said


def test_metrics_are_the_operators(proxy: str) -> None:
    assert status(proxy, "GET", "/metrics") == 403
