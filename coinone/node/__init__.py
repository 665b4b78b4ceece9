"""The node: the only owner of clock, randomness, threads, processes, disk, sockets and configuration.

Read `node.py`, `executor/`, `roles/`, `views/`, `recovery/`, `storage/`; then `network/`, `dev/`, `imported/`.
"""
