"""Exchange streams over WebSocket: one table of channels, the feed that publishes them, the sessions that subscribe.

Read `channel.py` (the record) and `table.py`; the families `markets.py`, `events.py`, `account_states.py`; then
`feed.py` and `outlet.py`, and `session.py`.
"""
