"""Closing accounts that cannot carry their positions: liquidation, deleveraging, debts."""
