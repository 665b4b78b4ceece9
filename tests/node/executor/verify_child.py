"""Run by test_determinism in a process of its own: executes a data folder's chain again and prints the
roots."""

import sys
from pathlib import Path

from coinone.node.networks import load_network
from coinone.node.recovery.startup import identity_of
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage.storage import open_storage

network = load_network("dev")
storage = open_storage(Path(sys.argv[1]), identity_of(network), 2**28)
head = verify_chain(network, storage)
print(head.number, head.batch_seq, head.hash.hex(), head.state_root.hex(), head.exchange_root.hex())
