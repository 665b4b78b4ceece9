"""The futures exchange: markets, orders, matching, margin, funding, liquidation. Pure functions over rows."""
