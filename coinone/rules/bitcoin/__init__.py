"""Bitcoin as a merge-mined side chain and its peg see it: headers, transactions, proofs; no blocks, no script engine.

Everything here is a pure function of bytes that a stranger sent. Hashes are in the order in which they are computed and
sent; explorers show them reversed. What breaks a rule raises DecodeError, LimitExceeded or InvalidBitcoin.

Read `errors.py`, `encoding.py`; then headers: `target.py`, `header.py`, `networks.py`, `header_chain.py`; what is in
blocks: `script.py`, `transaction.py`, `merkle.py`, `partial_merkle.py`, `inclusion.py`; and work that Bitcoin's miners
do for us: `commitment.py`, `midstate.py`, `merged_mining.py`. The rules with their sources: bitcoin.md.
"""
