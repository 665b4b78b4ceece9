"""The chain: applying batches and sealing blocks, built on the types of `rules/ledger`.

Read `network.py`, `genesis.py`, `state.py`, `cursor.py`, `apply.py`, `certified.py`, `sealing.py`; then
`batch_limits.py`, `contents.py`, `forced.py`, `transactions.py`, `invariants.py`, `replay.py`; `bridge/`, `ethereum/`,
`imported/`.
"""
