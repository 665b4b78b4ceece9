"""The exchange API, in Hyperliquid's formats: its clients work with another base URL."""
