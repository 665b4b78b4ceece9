"""Accounts: equity, action credits, locks, and the sums of their resting orders."""
