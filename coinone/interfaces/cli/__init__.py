"""The command line: `coinone up` and what operators need round it."""
