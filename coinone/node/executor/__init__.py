"""The single thread that owns the state, how work reaches it, and its worker processes.

Read `core.py`, `executor.py`, `door.py`, `intake.py`; then `reports.py`, `barred.py`, `promises.py`, `signers.py`,
`workers.py`.
"""
