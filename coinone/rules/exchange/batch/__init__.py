"""A batch under execution: which of its actions it may include, in which order they run, and what they have changed.

Read `inclusion.py`, `race.py`, `execution.py`.
"""
