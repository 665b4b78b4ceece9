"""From a data folder to a chain in memory, and whether both can be believed."""
