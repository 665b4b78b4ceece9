"""Oracle reports that wait for the next batch: few of each reporter, and only what is news.

Reports are public once they are in a batch, so anybody can hand old ones in again. Each reporter has its own places,
and the newest of its reports keep them: nobody, not even another reporter, leaves a reporter without one. What is too
far ahead for any batch waits in none: four reports that a clock once dated an hour ahead would be the newest all the
while, whenever somebody hands them in.
"""

from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.parameters import ORACLE_AHEAD_MS, ORACLE_FRESH_MS
from coinone.base.primitives.types import Address
from coinone.node.limits import ORACLE_REPORTS_OF_REPORTER_MAX
from coinone.rules.chain.state import ChainState
from coinone.rules.exchange.wire.types import OracleReport


class WaitingReports:
    def __init__(self) -> None:
        # By reporter: time and bytes, the oldest first.
        self._waiting: dict[Address, list[tuple[int, bytes]]] = {}

    def add(self, chain: ChainState, raw: bytes, report: OracleReport, now_ms: int) -> None:
        """Let a report wait, perhaps in the stead of an older one. Raises InvalidTransaction."""
        if report.reporter not in chain.genesis.reporters:
            raise InvalidTransaction("not a reporter of this network", reporter=report.reporter)
        if report.time_ms < chain.cursor.time_ms - ORACLE_FRESH_MS or not _is_news(chain, report):
            raise InvalidTransaction("an old oracle report", time=report.time_ms)
        if report.time_ms > max(now_ms, chain.cursor.time_ms) + ORACLE_AHEAD_MS:
            raise InvalidTransaction("an oracle report of a time to come", time=report.time_ms)
        waiting = self._waiting.setdefault(report.reporter, [])
        if (report.time_ms, raw) not in waiting:
            waiting.append((report.time_ms, raw))
            waiting.sort()
            del waiting[:-ORACLE_REPORTS_OF_REPORTER_MAX]

    def all(self) -> list[bytes]:
        """Every waiting report, each reporter's by time."""
        return [raw for waiting in self._waiting.values() for _, raw in waiting]

    def clear(self) -> None:
        self._waiting.clear()


def _is_news(chain: ChainState, report: OracleReport) -> bool:
    """Does it say of any market something later than its reporter said before?"""
    known = chain.exchange.ledger.reports
    before = [known.get((market, report.reporter)) for market, _ in report.prices]
    return any(said is None or said.time_ms < report.time_ms for said in before)
