"""Scheduled work: fee days, scheduled cancels, empty accounts."""
