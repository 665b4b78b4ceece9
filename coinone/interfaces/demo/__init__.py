"""The demo market: makers and takers that are ordinary clients, so that a fresh node has something to show.

They know nothing that a stranger's bot could not know: prices come from the oracle as the public API serves
it, orders are signed with agent keys. Their accounts are allocated in the dev genesis and nowhere else.
"""
