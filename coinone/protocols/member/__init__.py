"""A member of the federation as one state machine: votes, what is written before it is sent, messages, catch-up.

Read `member.py` first; `effects.py` is what its host does, `messages.py` what members send each other.
"""
