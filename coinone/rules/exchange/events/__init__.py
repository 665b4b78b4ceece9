"""Events of a batch, for histories and streams: one class for each kind, and their columns."""
