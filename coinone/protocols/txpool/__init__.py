"""Transactions that wait for a batch: Ethereum ones by nonce and price, exchange actions by arrival."""
