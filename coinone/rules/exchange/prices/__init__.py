"""Prices: the oracle and its jumps, hittable quotes, the mark, and funding."""
