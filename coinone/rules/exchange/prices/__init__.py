"""Prices: the oracle and its jumps, the mark, hittable quotes, and funding."""
