"""The kernel's rules in plain Python, compared with it by tests; production never runs them.

Read `book.py`, `terms.py`, `resting.py`, `meeting.py`, `passing.py`, `run.py`; `compare.py` is for tests.
"""
