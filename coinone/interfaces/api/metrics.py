"""Figures for Prometheus at /metrics: how far the chain is, how busy we are, how long answers take."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One node's figures, in a registry of its own: two nodes in one test process must not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.batch_seq = self._gauge("coinone_batch_seq", "Newest batch")
        self.block_number = self._gauge("coinone_block_number", "Newest block")
        self.batch_age = self._gauge("coinone_batch_time_ms", "Time of the newest batch, ms")
        self.ws_connections = self._gauge("coinone_ws_connections", "Open exchange WebSocket connections")
        self.ws_messages = self._counter("coinone_ws_messages", "Messages handed to subscribers")
        self.actions = self._counter("coinone_actions", "Actions relayed, by their end", ("status",))
        self.info_requests = self._counter("coinone_info_requests", "Requests to /info", ("type",))
        self.rpc_requests = self._counter("coinone_rpc_requests", "JSON-RPC calls", ("method",))
        self.action_seconds = Histogram(
            "coinone_action_seconds",
            "From action received to final answer",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.fanout_seconds = Histogram(
            "coinone_fanout_seconds",
            "To write one batch to all subscribers",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def render(self) -> tuple[bytes, bytes]:
        """The page and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST.encode()

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Any:
        return Counter(name, text, labels, registry=self.registry)
