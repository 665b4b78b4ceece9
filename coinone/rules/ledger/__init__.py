"""The ledger's types: values and their bytes, no execution. Nothing here imports an engine.

Read `batch.py`, `certificate.py`, `term_change.py`, `header.py`, `block.py`; then the results of execution: `log.py`,
`records.py`, `receipts.py`, `placed.py`, `crossings.py`; `turns.py` is the order that all of them share.
"""
