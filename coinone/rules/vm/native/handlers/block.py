"""Instructions that read the block and the transaction."""

from coinone.rules.vm.instructions.block import HISTORY
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import HASH_SIZE, SHARED_WORDS, WORD, ExitStatus


def shared_word(name: str) -> Full:
    def emit(h: Handler) -> None:
        h.put(h.load("i256", h.shared(name)), 0)
        h.next()

    return emit


def block_hash(h: Handler) -> None:
    """BLOCKHASH; known for ages 0 to 255. On a young chain the age of a number near 2**256 wraps to one of these."""
    current, asked = h.load("i256", h.shared("NUMBER")), h.word(1)
    age = h.op("sub", h.op("sub", current, asked, "i256"), 1, "i256")
    old, ahead = h.compare("ugt", age, HISTORY - 1, "i256"), h.compare("uge", asked, current, "i256")
    with h.when_final(h.value(f"or i1 {old}, {ahead}")):
        h.put("0", 1)
        h.next()
    place = h.op("mul", h.narrow(age, "i256", "i64"), HASH_SIZE)
    entry = h.at(h.load("ptr", h.shared("HASHES")), place)
    h.leave_if(h.compare("eq", h.load("i64", entry), 0), ExitStatus.HASH_MISS)
    h.put(h.load("i256", h.at(entry, 8)), 1)
    h.next()


def blob_hash(h: Handler) -> None:
    index, big = h.small(1)
    beyond = h.value(f"or i1 {big}, {h.compare('uge', index, h.load('i64', h.shared('BLOB_COUNT')))}")
    with h.when_final(beyond):
        h.put("0", 1)
        h.next()
    h.put(h.load("i256", h.at(h.load("ptr", h.shared("BLOBS")), h.op("mul", index, WORD))), 1)
    h.next()


FULL: dict[str, Full] = {
    **{name: shared_word(name) for name in SHARED_WORDS},
    "BLOCKHASH": block_hash,
    "BLOBHASH": blob_hash,
}
