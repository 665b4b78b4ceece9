"""Prometheus metrics at /metrics: progress of the chain, connections, requests and latencies."""

import time
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PAGE_KEPT_S = 1.0  # Prometheus scrapes every 15 to 60 s


class Metrics:
    """The metrics of one node, in their own registry, so that several nodes can share a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._page, self._stale_at_s = b"", -inf
        self.batch_seq = self._gauge("coinone_batch_seq", "Sequence number of the newest batch")
        self.block_number = self._gauge("coinone_block_number", "Number of the newest block")
        self.batch_age = self._gauge(
            "coinone_batch_time_ms", "Time of the newest batch in milliseconds since the epoch"
        )
        self.healthy = self._gauge("coinone_healthy", "1 if /health reports ok, else 0")
        self.peers = self._gauge("coinone_peers", "Connected peer nodes")
        self.ws_connections = self._gauge("coinone_ws_connections", "Open exchange WebSocket connections")
        self.ws_messages = self._counter("coinone_ws_messages", "Messages sent to subscribers")
        self.actions = self._counter("coinone_actions", "Exchange actions by final status", ("status",))
        self.action_seconds = Histogram(
            "coinone_action_seconds",
            "Seconds from receiving an action to its final answer",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.fanout_seconds = Histogram(
            "coinone_fanout_seconds",
            "Seconds to send one batch to all subscribers",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def count(self, name: str, text: str, label: str, counts: Mapping[str, int]) -> None:
        """Export counts that the caller keeps in a dictionary, the cheapest way to count."""
        self.registry.register(_Counts(name, text, label, counts))

    def render(self) -> tuple[bytes, bytes]:
        """The page and its content type, rendered at most once a second."""
        now = self._clock()
        if now >= self._stale_at_s:
            self._page, self._stale_at_s = generate_latest(self.registry), now + PAGE_KEPT_S
        return self._page, CONTENT_TYPE_LATEST.encode()

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Any:
        return Counter(name, text, labels, registry=self.registry)


class _Counts(Collector):
    def __init__(self, name: str, text: str, label: str, counts: Mapping[str, int]) -> None:
        self._row = name, text, label
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        name, text, label = self._row
        family = CounterMetricFamily(name, text, labels=[label])
        for kind, count in sorted(self._counts.items()):
            family.add_metric([kind], count)
        yield family
