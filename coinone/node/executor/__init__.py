"""The one thread that owns the state, what comes in to it, and who works beside it.

Read `core.py`, `executor.py`, `door.py`, `intake.py`; then `reports.py`, `barred.py`, `promises.py`,
`signers.py`, `workers.py`.
"""
