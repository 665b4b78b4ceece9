"""Every action, and its decoding from bytes.

An action, or a family of them, is one file that ends in its rows: orders, cancels, settings, agents, transfers. The
table of all rows: table. Readers that use it: decode, verify (signatures), from_json (what clients post), core_writer
(what contracts write). What several actions need: opening (of accounts), addresses.
"""
