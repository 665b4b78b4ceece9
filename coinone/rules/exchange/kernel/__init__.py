"""The kernel: a segment of operations in one jitted call.

Read `run.py`, `terms.py`, `placing.py`, `matching.py`, `cancelling.py`; then `crossing.py`, `passing.py`,
`reducing.py`, `full_side.py`, `ahead.py`, `capacity.py`. The same rules in plain Python: `twin/`.
"""
