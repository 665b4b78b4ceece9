"""Hashes, signatures and Merkle trees: thin, strict wrappers of maintained libraries."""
