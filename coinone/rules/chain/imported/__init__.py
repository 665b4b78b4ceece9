"""Ethereum's own chains under Ethereum's block rules: genesis, headers, blocks, requests, old blocks."""
