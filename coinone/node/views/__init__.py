"""Reads without the executor: the newest view, published batches, blocks on disk, pending state."""
