"""The command line: `coinone up` and what operators need round it.

Read `main.py`; then `serving/`, `tapes/`, and a file for each other command.
"""
