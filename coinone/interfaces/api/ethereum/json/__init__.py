"""JSON-RPC values, read and written: parameters, blocks, transactions, overrides, filters, errors."""
