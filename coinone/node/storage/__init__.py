"""What the node keeps on disk: LMDB tables, the batch log, blocks, and the history that the APIs serve.

Two promises. Nothing that was answered is lost: a batch is in the log, synced, before its answer leaves.
Nothing wrong is ever served: every row and record carries a checksum, and a mismatch stops the node.
"""
