"""Tapes: record the trading on a node and replay it."""
