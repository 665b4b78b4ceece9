"""Sizes of the secure channel, with why each is that number."""

KEY_BYTES = 32
TAG_BYTES = 16
MESSAGE_BYTES_MAX = 65_535  # Noise's own limit; two bytes of length can say no more
PLAIN_BYTES_MAX = MESSAGE_BYTES_MAX - TAG_BYTES
# A direction gets a new key after as many messages: four hours of batches, or 4 GB. Who learns a key from memory
# cannot read what was sent before.
REKEY_MESSAGES = 65_536
NONCE_MAX = 2**64 - 1  # kept for making the next key; no message has it
