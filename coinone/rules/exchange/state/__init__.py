"""The exchange's state: rows and ledger, their undo, and their leaves and root.

Read `exchange.py`, `rows.py`, `tables.py`, `ledger.py`, `undo.py`; then `leaves.py`, `leaf_rows.py`, `restore.py`,
`root.py`.
"""

from coinone.rules.exchange.state.exchange import Exchange

__all__ = ["Exchange"]
