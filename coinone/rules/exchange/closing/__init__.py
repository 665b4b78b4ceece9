"""Closing accounts that cannot carry their positions: liquidation, auto-deleveraging, debts."""
