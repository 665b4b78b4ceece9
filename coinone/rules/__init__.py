"""Rules: consensus as pure functions of their arguments. Integers only, no I/O, no clock, no randomness."""
