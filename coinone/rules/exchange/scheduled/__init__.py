"""What time brings without an order: fee days, scheduled cancels, empty accounts."""
