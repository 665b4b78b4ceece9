"""The node of bench/node/transfers.py, in a process of its own.

`python -m bench.node._transfer_node FOLDER PORT RPC_PORT`
"""

import sys
import threading
from pathlib import Path

from bench.node._transfers import MAP_SIZE_BYTES, busy_network
from coinone.interfaces.api.app import App
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.interfaces.cli.serving.serve import calm_the_collector
from coinone.node.node import Node
from coinone.rules.vm import engine_named


def main(folder: Path, port: int, rpc_port: int) -> None:
    node = Node(busy_network(), folder, map_size_bytes=MAP_SIZE_BYTES, engine=engine_named("native"))
    config = ApiConfig(exchange_port=port, ethereum_port=rpc_port, bind=("127.0.0.1",))
    server = ApiServer(App(node, config, lambda: 0), open_listeners(config))
    calm_the_collector()
    node.start()
    server.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
