"""The futures exchange: markets, orders, matching, margin, funding, liquidation. Pure functions over rows.

Read `engine.py` (the order of a batch), then from below: `rows/`, `book/`, `margin/` and `wire/` (what is signed);
`instruments/`, `state/`; `events/`, `context.py`; `accounts/`, `kernel/` with `twin/`; `batch/`; `prices/`, `trading/`,
`actions/` (all that can be signed); `scheduled/`, `closing/`.
"""
