"""Admission control: request weights, limits per address, and fair queues.

Read `owners.py`, `weights.py`, `places.py`, `sender.py`, `fair_queue.py`; then `queries.py`, `readers.py`, `turns.py`,
`seldom.py`.
"""
