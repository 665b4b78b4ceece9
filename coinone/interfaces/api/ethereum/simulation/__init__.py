"""eth_simulateV1: blocks of calls on top of a block that is there, as geth simulates them."""
