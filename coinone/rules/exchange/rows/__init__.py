"""The exchange's tables as rows in arrays: columns, memory layout, before-images, buffers for output.

Read `tables.py`, `arrays.py`, `store.py`, `journal.py`; then the small ones.
"""
