"""Noise XX against published vectors, and what a handshake refuses.

The vectors are two entries of `vectors/cacophony.txt` of github.com/haskell-cryptography/cacophony (public domain).
That of BLAKE2s shares keys and payloads with ours, and must give other bytes.
"""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from coinone.protocols.secure_channel.cipher import CipherState
from coinone.protocols.secure_channel.errors import ForgedMessage, HandshakeFailed, KeyUsedUp
from coinone.protocols.secure_channel.handshake import SIZES, Handshake, KeyPair
from coinone.protocols.secure_channel.limits import NONCE_MAX

PROLOGUE = bytes.fromhex("4a6f686e2047616c74")
STATIC = bytes.fromhex("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1")
EPHEMERAL = bytes.fromhex("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a")
PEER_STATIC = bytes.fromhex("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893")
PEER_EPHEMERAL = bytes.fromhex("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b")
# payload and message of Noise_XX_25519_ChaChaPoly_SHA256, the initiator's first, then in turns
MESSAGES = [
    (bytes.fromhex(payload), bytes.fromhex(message))
    for payload, message in (
        (
            "4c756477696720766f6e204d69736573",
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573",
        ),
        (
            "4d757272617920526f746862617264",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285"
            "e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f"
            "8814c7194e83f23dbd8d162c9326ad",
        ),
        (
            "462e20412e20486179656b",
            "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be0865b57f"
            "58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030",
        ),
        ("4361726c204d656e676572", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"),
        (
            "4a65616e2d426170746973746520536179",
            "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5",
        ),
        (
            "457567656e2042f6686d20766f6e2042617765726b",
            "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f",
        ),
    )
]
HANDSHAKE_HASH = bytes.fromhex("c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e")
# the second message of Noise_XX_25519_ChaChaPoly_BLAKE2s
OTHER_HASH = bytes.fromhex(
    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088437c365eb362a1c991b0557fe8a7fb187d99346765"
    "d93ec63db6c1b01504ebeec55a2298d2dbff80eff034d20595153f63a196a6cead1e11b2bb13e336fa13616dd3e8b0a070c882ed"
    "3f1a78c7c06c93"
)


def sides(prologue: bytes = PROLOGUE, peers_prologue: bytes = PROLOGUE) -> tuple[Handshake, Handshake]:
    return (
        Handshake(True, prologue, KeyPair(STATIC), EPHEMERAL),
        Handshake(False, peers_prologue, KeyPair(PEER_STATIC), PEER_EPHEMERAL),
    )


def test_both_sides_write_and_read_the_published_messages() -> None:
    initiator, responder = sides()
    for number, (payload, message) in enumerate(MESSAGES[:3]):
        writer, reader = (initiator, responder) if number % 2 == 0 else (responder, initiator)
        assert len(message) == writer.next_size + len(payload)
        assert writer.write(payload) == message
        assert reader.read(message) == payload
    assert initiator.is_done and responder.is_done
    assert initiator.hash == responder.hash == HANDSHAKE_HASH
    assert initiator.peer_key == KeyPair(PEER_STATIC).public and responder.peer_key == KeyPair(STATIC).public
    (mine, peers_in), (peers, mine_in) = initiator.split(), responder.split()
    for number, (payload, message) in enumerate(MESSAGES[3:]):
        sending, receiving = (peers, peers_in) if number % 2 == 0 else (mine, mine_in)
        assert sending.encrypt(payload) == message
        assert receiving.decrypt(message) == payload


def test_the_published_message_of_another_hash_is_refused() -> None:
    initiator, _ = sides()
    initiator.write(MESSAGES[0][0])
    with pytest.raises(HandshakeFailed, match="does not belong"):
        initiator.read(OTHER_HASH)


def test_sides_with_different_prologues_do_not_meet() -> None:
    initiator, responder = sides(peers_prologue=PROLOGUE + b"!")
    responder.read(initiator.write())  # the first message is in clear
    with pytest.raises(HandshakeFailed, match="does not belong"):
        initiator.read(responder.write())


@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_of_any_message_ends_the_handshake_at_the_second_one_at_latest(
    number: int, place: int, change: int
) -> None:
    initiator, responder = sides()
    turns = [(initiator, responder), (responder, initiator), (initiator, responder)]
    failed = []
    for turn, (writer, reader) in enumerate(turns):
        message = bytearray(writer.write())
        if turn == number:
            message[place % len(message)] ^= change
        try:
            reader.read(bytes(message))
        except HandshakeFailed:
            failed.append(turn)
            break
    # the top bit of a curve point is ignored by X25519, but not by the hash: the initiator's next read fails
    assert failed == [max(number, 1)]


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=2), st.booleans())
def test_no_bytes_are_a_handshake_by_chance_and_each_is_refused_by_name(
    messages: list[bytes], initiates: bool
) -> None:
    side = Handshake(initiates, PROLOGUE, KeyPair(STATIC), EPHEMERAL)
    if initiates:
        side.write()
    with pytest.raises(HandshakeFailed):
        for message in messages:
            side.read(message)
            side.write()
            side.read(b"")  # the responder took any 32 bytes as a key; it takes nothing for the proof
    assert side.peer_key is None or not side.is_done


@pytest.mark.parametrize("size", [0, 1, SIZES[0] - 1])
def test_a_short_message_is_refused(size: int) -> None:
    _, responder = sides()
    with pytest.raises(HandshakeFailed, match="too short"):
        responder.read(bytes(size))


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31)])
def test_a_key_that_makes_every_secret_zero_is_refused(point: bytes) -> None:
    """0 and 1 are points of small order (RFC 7748, section 6.1: the result must be checked)."""
    _, responder = sides()
    responder.read(point)
    with pytest.raises(HandshakeFailed, match="gives no secret"):
        responder.write()


def test_a_new_key_is_what_the_old_one_makes_of_zeros_under_the_last_nonce() -> None:
    """Noise, section 4.2: REKEY(k) is the first 32 bytes of ENCRYPT(k, 2^64 - 1, "", 32 zeros)."""
    nonce = bytes(4) + b"\xff" * 8
    key = ChaCha20Poly1305(STATIC).encrypt(nonce, bytes(32), b"")[:32]
    cipher = CipherState(STATIC, used=5)
    cipher.rekey()
    assert cipher.encrypt(b"six") == ChaCha20Poly1305(key).encrypt(bytes(4) + b"\5" + bytes(7), b"six", b"")


def test_the_last_nonce_is_never_used_for_a_message() -> None:
    cipher = CipherState(STATIC, used=NONCE_MAX - 1)
    cipher.encrypt(b"last")
    with pytest.raises(KeyUsedUp):
        cipher.encrypt(b"one more")
    with pytest.raises(KeyUsedUp):
        cipher.decrypt(bytes(17))


def test_another_associated_text_is_refused() -> None:
    sealed = CipherState(STATIC).encrypt(b"text", b"this")
    with pytest.raises(ForgedMessage):
        CipherState(STATIC).decrypt(sealed, b"that")
