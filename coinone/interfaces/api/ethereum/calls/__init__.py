"""Contracts run on trial, in processes of their own: calls, estimates, traces."""
