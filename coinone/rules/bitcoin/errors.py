"""The error of this room."""

from coinone.base.primitives.errors import InvalidInput


class InvalidBitcoin(InvalidInput):
    """A header, transaction or proof that breaks a rule of Bitcoin's, or of mining beside it."""
