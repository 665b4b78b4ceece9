"""What can go wrong between a program and a node, told apart by what the caller should do next."""

from typing import Any

from coinone.base.primitives.errors import CoinoneError


class ClientError(CoinoneError):
    """Root of the errors that a client raises."""


class NoAnswer(ClientError):
    """The connection failed or timed out: whether the node acted is unknown. Sending the same again is safe:
    a signed action has one identity, so the chain carries it out once at most."""


class AnswerLost(ClientError):
    """The action took effect, but its answer went missing with a connection: look the result up."""


class Refused(ClientError):
    """The node answered, and the answer is no: nothing happened."""

    def __init__(self, message: str, code: int = 0, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.data = data
