"""Ethereum transactions: encoding, price, execution, and receipts."""
