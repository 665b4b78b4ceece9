"""Pools of transactions that wait for a batch: Ethereum's by nonce and price, exchange actions by arrival."""
