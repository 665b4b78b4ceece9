"""Three kinds of failure, never mixed.

`InvalidInput` and its children: the sender's fault; reject it, perhaps score the peer, lose nothing.
`StorageError`: the world's fault; the node stops and recovers at the next start.
`AssertionError`: our fault; the node halts at once rather than write a wrong state.
"""


class CoinoneError(Exception):
    """Root of the errors that this code expects to meet."""


class InvalidInput(CoinoneError):
    """Something a sender handed in breaks a rule.

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
    """Bytes as 0x hex, and nothing longer than a line: details end up in logs and answers."""
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
    """The disk did not do what was asked. Never continue past it."""
