"""Prices: the oracle and its jumps, the mark, hittable quotes, fair prices, and funding."""
