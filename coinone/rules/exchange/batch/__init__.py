"""A batch under execution: which of its actions count, in which order they run, and what they have changed so far.

Read `inclusion.py`, `race.py`, `execution.py`.
"""
