"""What an account is worth, may send and may not do: equity, credits, locks, what rests of its orders."""
