"""The explorer: blocks, batches, transactions and accounts, by request or as streams."""
