"""The bridge between contracts and the exchange: precompiled reads, deposits, withdrawals, actions of contracts.

Read `own.py` (the record of a precompile), `reads.py`, `precompiles.py`, `seen.py`; then `system_calls.py`.
"""
