"""Every action, and the way from bytes to it.

An action, or a family of them, is one file that ends in its rows: orders, cancels, settings, agents, transfers. The
table of all rows: table. Reading by it: decode, verify (signatures), from_json (what clients post), core_writer (what
contracts write). What several of them need: opening (of accounts), addresses.
"""
