"""Validity of headers, certificates and changes of term: who may vote, who leads, and by which seeds."""
