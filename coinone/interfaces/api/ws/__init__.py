"""The WebSocket side: subscriptions, streams, and posts over the same connection."""
