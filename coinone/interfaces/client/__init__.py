"""The Python client: for bots, the demo market, the command line and the tests.

It uses the public API of a node only, and imports nothing but `base`.
"""

from coinone.interfaces.client.actions import Order, Trigger, new_cloid, round_price, round_size
from coinone.interfaces.client.client import AsyncClient, Client
from coinone.interfaces.client.commands import Market
from coinone.interfaces.client.errors import ClientError, NoAnswer, Refused
from coinone.interfaces.client.proofs import ProofFailed, ProvenAccount
from coinone.interfaces.client.signing import Domain, Signer
from coinone.interfaces.client.stream import Feed, Stream, Update

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Domain",
    "Feed",
    "Market",
    "NoAnswer",
    "Order",
    "ProofFailed",
    "ProvenAccount",
    "Refused",
    "Signer",
    "Stream",
    "Trigger",
    "Update",
    "new_cloid",
    "round_price",
    "round_size",
]
