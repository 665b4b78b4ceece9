"""What exists on the dev network only."""
