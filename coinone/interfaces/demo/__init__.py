"""The demo market: makers and takers, as ordinary clients, for a new dev node.

They use only what any bot can use: oracle prices from the public API, and orders signed with agent keys. Their accounts
are allocated in the dev genesis and nowhere else.
"""
