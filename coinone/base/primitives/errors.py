"""Exceptions by who is at fault: the sender, the world, or this code.

`InvalidInput` and its children: the sender's fault; reject it and lose nothing.
`StorageError`: the world's fault; the node stops and recovers at the next start.
`AssertionError`: our fault; the node halts rather than write a wrong state.
"""


class CoinoneError(Exception):
    """Base class of all expected errors."""


class InvalidInput(CoinoneError):
    """Input from a sender breaks a rule.

    `reason` is a short stable phrase that clients may match; `details` are the figures behind it
    (for instance `want` and `have`), which are safe to show to the sender.
    """

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details

    def __str__(self) -> str:
        if not self.details:
            return self.reason
        shown = ", ".join(f"{name}={_show(value)}" for name, value in self.details.items())
        return f"{self.reason} ({shown})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.reason, self.details)


def _rebuild(kind: type[InvalidInput], reason: str, details: dict[str, object]) -> InvalidInput:
    return kind(reason, **details)


def _show(value: object) -> str:
    """A detail for logs and answers: bytes as 0x hex, cut to one line."""
    text = "0x" + value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


class DecodeError(InvalidInput):
    """Bytes or text that do not follow their format."""


class LimitExceeded(InvalidInput):
    """A named parameter or limit (parameters.py, limits.py) was exceeded."""


class NotSupported(InvalidInput):
    """Well-formed, but this network or version refuses it by name."""


class InvalidSignature(InvalidInput):
    """A signature that is malformed, malleable, or of the wrong key or domain."""


class InvalidTransaction(InvalidInput):
    """An Ethereum transaction that may not be included."""


class InvalidAction(InvalidInput):
    """An exchange action that may not be included."""


class InvalidBatch(InvalidInput):
    """A batch that breaks a rule of the chain."""


class InvalidBlock(InvalidInput):
    """A block that breaks a rule of the chain."""


class StorageError(CoinoneError):
    """The disk failed, or what it holds is damaged. Never continue past it."""
