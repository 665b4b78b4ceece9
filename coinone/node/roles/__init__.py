"""The roles of a node on the executor: leading, making blocks, following, reporting prices.

Read `role.py`, `assignment.py`, `leader.py`, `follower.py`, `block_pipeline.py`; then `reporter.py`, `dev_oracle.py`.
"""
