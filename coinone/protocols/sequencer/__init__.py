"""Make and certify batches: a state machine of events and effects, without clock or disk."""
