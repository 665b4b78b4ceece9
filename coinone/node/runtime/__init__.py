"""The node itself: one executor thread that owns the state, and what the outside may ask of it."""
