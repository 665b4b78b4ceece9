"""What people sign: field lists, domains and digests, one of each. Client, wallet and rules read them here.

Read `eip712.py`, then the exchange's forms: `domains.py` names the chain, `user_signed.py` lists the fields of what
moves funds or grants power, `exchange.py` makes the digests. `ethereum.py` holds Ethereum's transactions.
"""
