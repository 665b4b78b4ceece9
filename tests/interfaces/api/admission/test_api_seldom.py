"""What strangers can make a node write into its log is bounded, and counted."""

import logging

from coinone.interfaces.api.admission.seldom import LINES_PER_MINUTE, Seldom


def test_a_flood_of_one_line_is_cut_and_its_size_told_a_minute_later() -> None:
    now = [0.0]
    seldom = Seldom(lambda: now[0])
    lines = []

    def log(text: str) -> None:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, text, (), None)
        if seldom.filter(record):
            lines.append(record.getMessage())

    for _ in range(1000):
        log("Invalid HTTP request received.")
    assert len(lines) == LINES_PER_MINUTE
    log("another")  # has a count of its own
    assert lines[-1] == "another"
    now[0] = 61.0
    log("Invalid HTTP request received.")
    assert lines[-1] == f"Invalid HTTP request received. [and {1000 - LINES_PER_MINUTE} more of these before]"
