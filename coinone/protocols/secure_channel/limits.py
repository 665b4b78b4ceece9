"""Sizes of the secure channel, with why each is that number."""

KEY_BYTES = 32  # of X25519 and of ChaCha20
TAG_BYTES = 16  # of Poly1305, at the end of every encrypted text
MESSAGE_BYTES_MAX = 65_535  # Noise's own limit; two bytes of length can say no more
PLAIN_BYTES_MAX = MESSAGE_BYTES_MAX - TAG_BYTES  # contents of the largest message
# A direction gets a new key after as many messages: four hours of batches, or 4 GB. A key that is stolen from memory
# does not decrypt what was sent under earlier ones.
REKEY_MESSAGES = 65_536
NONCE_MAX = 2**64 - 1  # kept for making the next key; no message has it
