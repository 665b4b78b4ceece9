"""A dev chain in memory for the tests of rules/chain: one member, a toy clock, signing helpers."""

from dataclasses import replace

from coinone.base.crypto.hd import ethereum_keys
from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of, sign
from coinone.base.forms.domains import OWN_CHAIN, own_source
from coinone.base.forms.ethereum import FEE_MARKET, EthereumTransaction, encode_transaction, sign_transaction
from coinone.base.forms.exchange import l1_digest, user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.node.keys import Secrets
from coinone.node.networks import load_network
from coinone.node.recovery.startup import open_chain
from coinone.node.roles.reporter import signed_prices
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.protocols.sequencer.effects import Certified, Execute
from coinone.protocols.sequencer.sequencer import Draft, Sequencer
from coinone.rules.chain.apply import apply_batch, check_proposal, undo_batch
from coinone.rules.exchange.wire.envelope import encode_envelope
from coinone.rules.exchange.wire.msgpack import pack
from coinone.rules.exchange.wire.types import L1Envelope, UserEnvelope

JUNK = "test test test test test test test test test test test junk"
KEYS = ethereum_keys(JUNK, 12)
NETWORK = replace(load_network("dev"), seed_length=512)
CHAIN_ID = NETWORK.chain_id
TOKEN = NETWORK.quote_token.address
SYSTEM = NETWORK.quote_token.system_address
SECRETS = Secrets(keccak256(b"federation"), keccak256(b"reporter"), keccak256(b"seeds"))
START_MS = 1_760_000_000_000
GWEI = 10**9


class MemoryDisk:
    """The batch log's disk in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def names(self):
        return sorted(self.files)

    def read(self, name):
        return self.files[name]

    def append(self, name, data):
        self.files[name] = self.files.get(name, b"") + data

    def sync(self, name):
        pass

    def truncate(self, name, size):
        self.files[name] = self.files[name][:size]

    def remove(self, name):
        self.files.pop(name, None)

    def close(self):
        pass


class World:
    """A chain that is fed batches by hand; the prices are fresh in each."""

    def __init__(self) -> None:
        self.storage = Storage(MemoryStore(), MemoryDisk(), b"test", lambda size: bytes(size))
        self.chain = open_chain(NETWORK, self.storage, SECRETS, START_MS)
        self.now_ms = START_MS
        self.sequencer = Sequencer(
            NETWORK, self.chain.federation, 0, SECRETS.federation, SECRETS.seeds, self.chain.cursor,
            self,
        )  # fmt: skip
        self.certified = []

    def check(self, batch):
        check_proposal(self.chain, batch)

    def undo(self):
        undo_batch(self.chain)

    def batch(self, *transactions: bytes, forced: tuple[bytes, ...] = ()):
        """Close a batch with these transactions; returns its result."""
        self.now_ms += 250
        prices = tuple((market, spec.start_price) for market, spec in enumerate(NETWORK.markets))
        oracle = signed_prices(CHAIN_ID, self.now_ms, prices, SECRETS.reporter)
        head = self.chain.head
        draft = Draft(head.number, head.hash, 0, (*forced, oracle, *transactions), len(forced))
        result = None
        for effect in self.sequencer.propose(self.now_ms, draft):
            if isinstance(effect, Execute):
                result = apply_batch(self.chain, effect.batch)
                for after in self.sequencer.executed(result.after, result.digest):
                    if isinstance(after, Certified):
                        self.certified.append(after.certified)
        return result

    def evm_batch(self, *transactions: bytes):
        """Close empty batches until contracts run in the next one, then that."""
        while not NETWORK.batches.is_evm(self.chain.cursor.seq + 1):
            self.batch()
        return self.batch(*transactions)


def transfer(
    key: bytes, nonce: int, to: bytes | None, value: int, data: bytes = b"", gas: int = 100_000
) -> bytes:
    tx = EthereumTransaction(
        type=FEE_MARKET, chain_id=CHAIN_ID, nonce=nonce, max_fee_per_gas=GWEI, max_priority_fee_per_gas=0,
        gas=gas, to=to, value=value, data=data,
    )  # fmt: skip
    return encode_transaction(sign_transaction(tx, key))


def order(key: bytes, nonce: int, market: int, is_buy: bool, px: str, sz: str, tif: str = "Gtc") -> bytes:
    action = {
        "type": "order",
        "orders": [{"a": market, "b": is_buy, "p": px, "s": sz, "r": False, "t": {"limit": {"tif": tif}}}],
        "grouping": "na",
    }
    return l1_action(key, nonce, action)


def l1_action(key: bytes, nonce: int, action: dict, expires_after: int | None = None) -> bytes:
    packed, source = pack(action), own_source(CHAIN_ID)
    r, s, v = sign(l1_digest(packed, nonce, None, expires_after, source), key)
    return encode_envelope(L1Envelope(packed, nonce, None, expires_after, source, r, s, v))


def spot_send(key: bytes, nonce: int, destination: bytes, amount: str) -> bytes:
    """Of the quote token; to the system address it is a withdrawal."""
    values = {"destination": "0x" + destination.hex(), "token": "USDC", "amount": amount, "time": nonce}
    return user_action(key, "SpotSend", values)


def approve_agent(key: bytes, nonce: int, agent: bytes) -> bytes:
    """The unnamed one, without end."""
    return user_action(key, "ApproveAgent", {"agentAddress": agent, "agentName": "", "nonce": nonce})


def user_action(key: bytes, name: str, values: dict) -> bytes:
    fields, form = {"hyperliquidChain": OWN_CHAIN, **values}, user_signed(name)
    r, s, v = sign(user_digest(form, fields, CHAIN_ID), key)
    return encode_envelope(UserEnvelope(name, form.encode(fields), CHAIN_ID, r, s, v))


def erc20_transfer(to: bytes, amount: int) -> bytes:
    return bytes.fromhex("a9059cbb") + to.rjust(32, b"\0") + amount.to_bytes(32, "big")


def account(index: int) -> bytes:
    return address_of(KEYS[index])
