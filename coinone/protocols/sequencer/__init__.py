"""Making batches and certificates: a state machine of events and effects, without clock or disk."""
