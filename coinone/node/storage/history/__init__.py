"""The history that the APIs serve: fills, trades, candles, funding, ledger and ended orders.

Read `history.py`, `events.py`, `rows.py`, `pruning.py`, `candles.py`.
"""
