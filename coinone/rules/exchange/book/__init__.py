"""The order book as rows: indexes, ladders of prices, queues, each account's own orders (jitted).

Read `book.py`, `ladders.py`, `own_orders.py`, `indexes.py`, `values.py`.
"""
