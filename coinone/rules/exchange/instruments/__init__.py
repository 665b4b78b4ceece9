"""Instruments: the terms of markets, and the exchange's configuration at genesis."""
