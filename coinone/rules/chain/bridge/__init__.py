"""Between contracts and the exchange: reads by precompiled contracts, deposits, withdrawals, actions of contracts.

Read `own.py` (the record of a precompile), `reads.py`, `precompiles.py`, `seen.py`; then `system_calls.py`.
"""
