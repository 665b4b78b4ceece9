"""What positions must be backed by: running sums, holders, booked funding, and whether a fill may be made (jitted)."""
