"""Encode events, orders, accounts and markets as the JSON of the exchange API. Pure functions."""
