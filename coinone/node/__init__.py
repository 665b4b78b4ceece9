"""The node: the only owner of clock, randomness, threads, processes, disk, sockets and configuration."""
