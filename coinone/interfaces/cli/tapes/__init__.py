"""Tapes of what traders did: recorded, and played again."""
