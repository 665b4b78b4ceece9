"""The exchange's tables as rows in arrays: columns, where they lie, what is copied before a change, room for output.

Read `tables.py`, `arrays.py`, `store.py`, `journal.py`; then the small ones.
"""
