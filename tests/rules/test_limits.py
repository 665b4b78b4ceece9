"""Limits of working memory tune a node and nothing else: with the smallest of them it computes the same roots."""

import pytest

from coinone.rules.chain import state as chain_state
from coinone.rules.chain.bridge import system_calls
from coinone.rules.chain.transactions import Verifier
from coinone.rules.ledger import receipts
from coinone.rules.state import seal as sealing
from coinone.rules.state import state
from coinone.rules.vm import frame
from tests.rules.chain.test_blocks import busy_world, seal


def test_a_node_that_remembers_next_to_nothing_computes_the_same_blocks(monkeypatch: pytest.MonkeyPatch):
    usual = seal(busy_world())
    for name in ("STATE_CACHE_ACCOUNTS_MAX", "STATE_CACHE_SLOTS_MAX", "STATE_CACHE_CODES_MAX"):
        monkeypatch.setattr(state, name, 0)
    monkeypatch.setattr(sealing, "SEAL_KEYS_PER_STEP", 1)
    monkeypatch.setattr(chain_state, "HEADERS_IN_MEMORY_MAX", 1)
    monkeypatch.setattr(Verifier.__init__, "__defaults__", (0, 0))
    monkeypatch.setattr(receipts, "_bloom_bits", receipts._bloom_bits.__wrapped__)
    monkeypatch.setattr(frame, "program_of", frame.program_of.__wrapped__)
    assert seal(busy_world()).header == usual.header


def test_another_value_of_a_parameter_is_another_chain(monkeypatch: pytest.MonkeyPatch):
    """The blocks compared above depend on what the rules are told, or equal ones would say nothing."""
    usual = seal(busy_world())
    monkeypatch.setattr(system_calls, "SYSTEM_CALL_GAS", system_calls.SYSTEM_CALL_GAS + 1)
    assert seal(busy_world()).header != usual.header
