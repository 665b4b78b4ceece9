"""Hashes, signatures and Merkle trees: thin, strict doors to libraries that others maintain."""
