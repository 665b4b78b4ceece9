"""Simulated federations of four, with faults: one seq, one certificate, one content per vote; the chain continues."""

import pytest

from coinone.node.networks import load_network
from coinone.node.storage.batch_log import BatchLog
from coinone.protocols.member.effects import Effect, SendTo
from sim.federation import FederationReport, FederationScenario
from sim.member import SimMember
from sim.votes import TwoContents

DEV = load_network("dev")


def run(seed: int) -> FederationReport:
    report = FederationScenario(seed, DEV).run()
    print(report.line())
    return report


def happened(reports: list[FederationReport]) -> None:
    """A fault test proves that the faults happened."""
    assert min(report.terms for report in reports) > 3
    for name in (
        "again", "undone", "crashes", "torn_tails", "broken_connections", "partitions", "lies", "caught_up", "refused",
    ):  # fmt: skip
        assert sum(getattr(report, name) for report in reports) > 0, f"no {name}: nothing was tested"


def test_a_federation_agrees_through_crashes_partitions_and_a_leader_that_lies() -> None:
    happened([run(seed) for seed in (1, 3)])


@pytest.mark.slow
def test_a_federation_agrees_in_thirty_worlds() -> None:
    happened([run(seed) for seed in range(100, 130)])


@pytest.mark.long
def test_a_federation_agrees_in_a_thousand_worlds() -> None:
    happened([run(seed) for seed in range(10_000, 11_000)])


def test_a_member_that_loses_what_it_promised_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: without its records a member signs two contents, or votes in a term it gave up."""

    def forgetful(log: BatchLog) -> list[object]:
        return []

    monkeypatch.setattr("sim.member.promises_in", forgetful)
    for seed in range(12):
        try:
            FederationScenario(seed, DEV).run()
        except TwoContents:
            return
        except AssertionError as error:
            assert "two certificates" in str(error) or "no progress" in str(error), error
    pytest.fail("the ledger of votes finds nothing")


def test_a_member_that_sends_before_it_writes_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: power fails at a write whose votes have left."""
    carry_out = SimMember._carry_out

    def hasty(self: SimMember, effects: list[Effect]) -> None:
        sends = [effect for effect in effects if isinstance(effect, SendTo)]
        carry_out(self, [*sends, *(effect for effect in effects if effect not in sends)])

    monkeypatch.setattr(SimMember, "_carry_out", hasty)
    with pytest.raises(TwoContents):
        for seed in range(20):
            FederationScenario(seed, DEV).run()
