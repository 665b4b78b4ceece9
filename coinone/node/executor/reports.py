"""Oracle reports that wait for the next batch: a few per reporter, and only those with newer prices.

Reports are public once they are in a batch, so anyone can submit old ones again. Each reporter has its own places,
which its newest reports keep: nobody, not even another reporter, can take them. A report too far ahead for any batch is
refused: otherwise four reports that a clock once dated an hour ahead could be submitted again at any time and would be
the newest for that hour.
"""

from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.parameters import ORACLE_AHEAD_MS, ORACLE_FRESH_MS
from coinone.base.primitives.types import Address
from coinone.node.limits import ORACLE_REPORTS_OF_REPORTER_MAX
from coinone.rules.chain.state import ChainState
from coinone.rules.exchange.wire.types import OracleReport


class WaitingReports:
    def __init__(self) -> None:
        # By reporter: time and bytes, oldest first.
        self._waiting: dict[Address, list[tuple[int, bytes]]] = {}

    def add(self, chain: ChainState, raw: bytes, report: OracleReport, now_ms: int) -> None:
        """Queue a report, perhaps replacing an older one. Raises InvalidTransaction."""
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
    """Whether the report is later than its reporter's last one for any market."""
    known = chain.exchange.ledger.reports
    before = [known.get((market, report.reporter)) for market, _ in report.prices]
    return any(said is None or said.time_ms < report.time_ms for said in before)
