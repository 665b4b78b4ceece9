"""Tools of the dev network only."""
