"""Words: the vocabulary everything above is said in. No I/O, no clock, no randomness."""
