"""Exceptions of the client, by what the caller should do next."""

from typing import Any

from coinone.base.primitives.errors import CoinoneError


class ClientError(CoinoneError):
    """Base class of the errors that a client raises."""


class NoAnswer(ClientError):
    """The connection failed or timed out: whether the node acted is unknown. Sending the same bytes again is safe:
    a signed action has one identity, so the chain executes it at most once."""


class AnswerLost(ClientError):
    """The action took effect, but its answer was lost with a connection: look up the result."""


class Refused(ClientError):
    """The node refused the request: nothing happened."""

    def __init__(self, message: str, code: int = 0, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.data = data
