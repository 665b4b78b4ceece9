"""The vocabulary of everything above: integers, encodings, hashes, signatures. No I/O, no clock, no randomness."""
