"""Simulated contract calls in separate processes: calls, estimates, traces."""
