"""Interfaces: what people and programs meet: APIs, client, demo market, command line."""
