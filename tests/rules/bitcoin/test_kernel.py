"""Bitcoin Core's own consensus code (libbitcoinkernel, in this process, regtest) as second opinion on ours."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pbk
import pytest

from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import BitcoinHeader, decode_header
from coinone.rules.bitcoin.header_chain import ChainTip, check_not_ahead, extend, genesis_tip
from coinone.rules.bitcoin.inclusion import check_inclusion
from coinone.rules.bitcoin.merged_mining import COINONE, check_merged_mining, prove, tag_output
from coinone.rules.bitcoin.merkle import merkle_branch, merkle_root
from coinone.rules.bitcoin.networks import REGTEST
from coinone.rules.bitcoin.transaction import BitcoinTransaction, TxOutput, decode_transaction
from tests.rules.bitcoin import rootstock, samples
from tests.rules.bitcoin.blocks import SUBSIDY, Block, block, coinbase, inclusion, spend
from tests.rules.bitcoin.mining import child, mine
from tests.rules.bitcoin.test_merged_mining import OURS, THEIRS
from tests.rules.bitcoin.test_transaction import RULES

FIRST_TIME = 1_700_000_000
MATURE = 101  # blocks before the first coins may be spent
PARAMETERS = pbk.ChainParameters(pbk.ChainType.REGTEST)


class Core:
    """A chain of Core's, and our view of it: our tip follows each block that we make."""

    def __init__(self, folder: Path) -> None:
        options = pbk.ContextOptions()
        options.set_chainparams(PARAMETERS)
        settings = pbk.ChainstateManagerOptions(pbk.Context(options), str(folder), str(folder / "blocks"))
        settings.update_block_tree_db_in_memory(True)
        settings.update_chainstate_db_in_memory(True)
        self.manager = pbk.ChainstateManager(settings)
        self.chain = self.manager.get_active_chain()
        self.tip = genesis_tip(REGTEST)
        self.coins: list[bytes] = []  # txids of coinbases, oldest first

    @property
    def best(self) -> bytes:
        return bytes(self.chain.block_tree_entries[self.chain.height].block_hash)

    def accepts(self, made: Block) -> bool:
        """Whether Core takes the block as its newest."""
        try:
            self.manager.process_block(pbk.Block(made.encode()))
        except pbk.ProcessBlockException:
            return False
        return self.best == made.header.hash

    def accepts_header(self, header: BitcoinHeader) -> bool:
        try:
            state = self.manager.process_block_header(pbk.BlockHeader(header.encode()))
        except pbk.ProcessBlockHeaderException:
            return False
        return bool(state.validation_mode == pbk.ValidationMode.VALID)

    def next(self, *others: BitcoinTransaction, last: tuple[TxOutput, ...] = ()) -> Block:
        tip = self.tip
        return block(tip.hash, tip.height + 1, max(tip.time + 600, FIRST_TIME), others, last)

    def add(self, made: Block) -> None:
        self.tip = extend(self.tip, made.header, REGTEST)
        assert self.accepts(made)
        self.coins.append(made.transactions[0].txid)


@pytest.fixture
def core(tmp_path: Path) -> Core:
    return Core(tmp_path)


@pytest.fixture
def rich_core(core: Core) -> Core:
    for _ in range(MATURE + 6):
        core.add(core.next())
    return core


def core_parses(data: bytes) -> bytes | None:
    """The txid, or None."""
    try:
        return bytes(pbk.Transaction(data).txid)
    except RuntimeError:
        return None


def core_checks(*transactions: BitcoinTransaction) -> bool:
    """CheckBlock without work: each transaction's own rules, and the Merkle root with its repetitions."""
    root = merkle_root([each.txid for each in dict.fromkeys(transactions)])
    made = Block(BitcoinHeader(4, bytes(32), root, FIRST_TIME, 0x207FFFFF, 0), transactions)
    flags = pbk.BlockCheckFlags.BASE | pbk.BlockCheckFlags.MERKLE
    state = pbk.Block(made.encode()).check(PARAMETERS.consensus_params, flags)
    return bool(state.validation_mode == pbk.ValidationMode.VALID)


def test_core_s_genesis_is_ours(core: Core) -> None:
    assert core.best == REGTEST.genesis.hash == core.tip.hash


def test_core_takes_our_blocks_with_both_tags_and_our_proofs_hold(rich_core: Core) -> None:
    tags = (tag_output(OURS, COINONE), tag_output(THEIRS, rootstock.RULES))
    for order in (tags, tags[::-1]):
        others = [spend(rich_core.coins.pop(0), SUBSIDY) for _ in range(3)]
        made = rich_core.next(*others, last=order)
        rich_core.add(made)
        coinbase_bytes, branch = made.transactions[0].base(), merkle_branch(made.txids, 0)
        for rules, value in ((COINONE, OURS), (rootstock.RULES, THEIRS)):
            proof = prove(coinbase_bytes, branch, rules)
            check_merged_mining(made.header.encode(), proof, value, 1, made.header.time, rules)
        for place in range(len(made.transactions)):
            check_inclusion(inclusion(made, place), made.header.merkle_root)


def test_core_refuses_what_our_proofs_of_inclusion_refuse(rich_core: Core) -> None:
    paying = spend(rich_core.coins[0], SUBSIDY)
    made = rich_core.next(paying)
    forged = replace(paying, inputs=(paying.inputs[0]._replace(witness=(b"\x51", b"")),))
    other = Block(made.header, (made.transactions[0], forged))
    assert forged.txid == paying.txid  # so the header covers both
    with pytest.raises(InvalidBitcoin, match="witness is not in the block"):
        check_inclusion(replace(inclusion(made, 1), transaction=forged.encode()), made.header.merkle_root)
    assert not rich_core.accepts(other)
    rich_core.add(made)


def test_core_switches_to_the_branch_that_our_work_says_is_heavier(core: Core) -> None:
    for _ in range(3):
        core.add(core.next())
    old, start = core.tip, genesis_tip(REGTEST)
    branch: ChainTip = start
    for _ in range(5):
        made = block(branch.hash, branch.height + 1, max(branch.time + 601, FIRST_TIME))
        branch = extend(branch, made.header, REGTEST)
        core.accepts(made)
        assert core.best == max(old, branch, key=lambda tip: tip.work).hash
    assert core.best == branch.hash


def test_core_and_we_agree_on_every_flip_of_a_bit_in_a_header(core: Core) -> None:
    """Half of all hashes meet regtest's target, so many flips stay valid."""
    for _ in range(12):
        core.add(core.next())
    raw, now = child(core.tip).encode(), int(time.time())
    verdicts = {True: 0, False: 0}
    for bit in range(640):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        header = decode_header(bytes(changed))
        try:
            extend(core.tip, header, REGTEST)
            check_not_ahead(header, now)
            ours = True
        except InvalidInput:
            ours = False
        assert core.accepts_header(header) == ours, bit
        verdicts[ours] += 1
    assert min(verdicts.values()) > 100


@pytest.mark.parametrize("seconds", [-3_001, -3_000, -2_999, -1, 0, 1, 1_200, 1_201, 10**6])
def test_core_and_we_agree_on_times(core: Core, seconds: int) -> None:
    for _ in range(20):
        core.add(core.next())
    header = child(core.tip, seconds)
    assert core.accepts_header(header) == (seconds > -3_000)
    if seconds > -3_000:
        extend(core.tip, header, REGTEST)


@pytest.mark.parametrize("version", [-1, 0, 1, 2, 3, 4, 0x20000000])
def test_core_and_we_agree_on_versions(core: Core, version: int) -> None:
    header = mine(child(core.tip, FIRST_TIME - core.tip.time)._replace(version=version))
    try:
        extend(core.tip, header, REGTEST)
        ours = True
    except InvalidBitcoin:
        ours = False
    assert core.accepts_header(header) == ours == (version >= 4)


@pytest.mark.parametrize(("make", "reason"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_core_and_we_agree_on_a_transaction_s_own_rules(
    make: Callable[[], BitcoinTransaction], reason: str | None
) -> None:
    transaction = make()
    parsed = core_parses(transaction.encode())
    assert parsed == transaction.txid
    together = (transaction,) if transaction.is_coinbase else (coinbase(1), transaction)
    if transaction.weight > 3_990_000:
        return  # no room for it beside a coinbase
    assert core_checks(*together) == (reason is None)


def test_core_and_we_agree_on_how_transactions_are_read() -> None:
    """Every flip of a bit: what we read, Core reads as the same; what we cannot read, Core cannot."""
    read = unread = 0
    for original in (
        coinbase(7),
        spend(b"\x22" * 32, 10**8),
        spend(b"\x22" * 32, 10**8, [TxOutput(1, b"\x6a")]),
    ):
        for raw in (original.encode(), original.base()):
            for bit in range(8 * len(raw)):
                changed = bytearray(raw)
                changed[bit // 8] ^= 1 << bit % 8
                theirs = core_parses(bytes(changed))
                try:
                    assert decode_transaction(bytes(changed)).txid == theirs
                    read += 1
                except InvalidBitcoin:  # Core asks this later: CheckTransaction
                    assert theirs is not None
                except (DecodeError, LimitExceeded) as refused:
                    unread += 1
                    assert theirs is None or "behind the end" in refused.reason
    assert (read > 3_000, unread > 300) == (True, True)


def test_core_reads_real_transactions_as_we_do() -> None:
    for case in samples.cases("rsk_peg_transactions.json"):
        raw = bytes.fromhex(case["raw"])
        assert core_parses(raw) == decode_transaction(raw).txid
        assert bytes(pbk.Transaction(raw)) == decode_transaction(raw).encode()


@pytest.mark.parametrize("count", [3, 5, 6])
def test_core_refuses_a_repeated_end_as_we_do(count: int) -> None:
    """CVE-2012-2459: the same root, with transactions of the end twice."""
    transactions = (coinbase(1), *[spend(bytes((n,)) * 32, 10**8) for n in range(1, count)])
    repeated = transactions + transactions[-(count & -count) :]
    assert core_checks(*transactions)
    assert not core_checks(*repeated)
    with pytest.raises(InvalidBitcoin, match="equal siblings"):
        merkle_root([each.txid for each in repeated])
