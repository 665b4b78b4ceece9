"""POST /info: one table of request types over one dispatcher.

Read `sources.py` (the record `InfoType`) and `table.py`; `info.py`; then the families `markets.py`, `accounts.py`,
`stored.py` and `absent.py`, and what they read from: `market_data.py`, `reads.py`, `histories.py`.
"""
