"""The forms that people sign: field lists, domains and digests, shared by client, wallet and rules.

Read `eip712.py`, then the exchange's forms: `domains.py` names the chain, `user_signed.py` lists the fields of what
moves funds or grants power, `exchange.py` makes the digests. `ethereum.py` holds Ethereum's transactions.
"""
