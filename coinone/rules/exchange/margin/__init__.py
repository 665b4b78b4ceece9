"""Margin: running sums, holders, booked funding, and the check of a fill (jitted)."""
