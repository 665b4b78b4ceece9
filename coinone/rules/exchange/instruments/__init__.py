"""What is traded: the terms of markets, and what the exchange is told at genesis."""
