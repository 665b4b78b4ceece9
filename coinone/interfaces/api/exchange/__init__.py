"""The exchange API in the shapes of Hyperliquid's, so that its clients work by changing a URL."""
