"""The explorer: blocks, batches, transactions and accounts, asked for or streamed."""
