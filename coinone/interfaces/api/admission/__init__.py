"""How much each caller may ask for, and whose turn it is.

Read `owners.py`, `weights.py`, `places.py`, `sender.py`, `fair_queue.py`; then `queries.py`, `readers.py`,
`turns.py`, `seldom.py`.
"""
