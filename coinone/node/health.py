"""The health of a node: a status word for supervisors and a sentence for people."""

from dataclasses import dataclass
from datetime import UTC, datetime

from coinone.base.primitives.parameters import NONCE_FUTURE_MS, NONCE_PAST_MS
from coinone.node.limits import HEALTH_INTERVALS_MAX
from coinone.node.node import Node


@dataclass(frozen=True, slots=True)
class Health:
    status: str  # "ok", "halted", "alone", "late" or "ahead"
    reason: str | None = None


def health_of(node: Node, peers: int) -> Health:
    """The node's health; `peers` is the number of nodes that this one is connected to."""
    if node.halted is not None:
        return Health("halted", node.halted)
    if node.follows and peers == 0:
        return Health("alone", "this node follows others, and is connected to none")
    age_ms = node.batch_age_ms
    if age_ms > HEALTH_INTERVALS_MAX * node.network.batches.interval_ms:
        return Health("late", f"the newest batch is {age_ms // 1000} s old")
    if node.view.time_ms - node.clock_ms > NONCE_PAST_MS:
        return Health("ahead", f"{_both_times(node)}: orders signed by right clocks are refused")
    return Health("ok")


def clock_warning(node: Node) -> str | None:
    """The warning to print at the start, before the first batch, if the clock is so far from the newest batch that a
    nonce made from it would have been refused there. A following node may well be days behind."""
    ahead_ms = node.view.time_ms - node.clock_ms
    if ahead_ms > NONCE_PAST_MS:
        return (
            f"{_both_times(node)}. Batch time never goes back: until the clock has caught up, orders signed by right "
            "clocks are refused. If the clock is wrong, stop this node and set it."
        )
    if -ahead_ms > NONCE_FUTURE_MS and not node.follows:
        return (
            f"{_both_times(node)}. If the clock is wrong, stop this node now and set it: batch time never goes "
            "back. If it is right, all is well."
        )
    return None


def _both_times(node: Node) -> str:
    return f"the newest batch is of {_date(node.view.time_ms)}, this computer's clock says {_date(node.clock_ms)}"


def _date(time_ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):  # later than the year 9999
        return f"{time_ms} ms"
