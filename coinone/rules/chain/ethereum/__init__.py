"""Ethereum transactions: their bytes, their price, what they do, and the receipts they leave."""
