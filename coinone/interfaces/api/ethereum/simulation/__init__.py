"""eth_simulateV1: blocks of calls on top of an existing block, simulated as in geth."""
