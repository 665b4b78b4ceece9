"""Load a chain from a data folder, rebuild it, and verify both."""
