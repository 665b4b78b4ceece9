"""The ledger: transactions, batches, blocks, genesis, and the two functions that change state."""
