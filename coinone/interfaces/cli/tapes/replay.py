"""`coinone replay`: play a tape to an exchange in this process, at full speed.

No node, disk or network: the rules alone, batch by batch, through the same door as on the chain (signature,
canonical bytes, inclusion, segments), with conservation checked after every batch. The result depends on
nothing but the tape, so its digest is the same on every machine.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.parse import format_decimal, parse_decimal
from coinone.base.primitives.units import price_decimals
from coinone.interfaces.cli.tapes.tape import Tape, TapeStep, read_tape
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.rules.exchange.actions.from_json import envelopes_from_json
from coinone.rules.exchange.actions.verify import verify_action
from coinone.rules.exchange.engine import (
    BatchContext,
    Exchange,
    ExchangeConfig,
    ExchangeResult,
    MarketConfig,
    apply_exchange,
    conserved_sum,
)
from coinone.rules.exchange.events.events import Fill
from coinone.rules.exchange.wire import OracleReport, VerifiedAction

BATCH_MS = 250
FUNDS = 1_000_000 * 10**6  # of each trader of the tape
CREDITS = 10**9  # so that credits never run out: the recorded node has applied its own limits
_REPORTER = keccak256(b"coinone tape reporter")[12:]


@dataclass(slots=True)
class Summary:
    actions: int = 0
    batches: int = 0
    fills: int = 0
    seconds: float = 0.0
    volume: Counter[int] = field(default_factory=Counter)  # micro-quote by market
    trades: Counter[int] = field(default_factory=Counter)
    last_price: dict[int, int] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    digest: bytes = bytes(32)  # over the results of all batches


class Player:
    """An exchange with the tape's markets and traders, and the tape's steps as signed batches."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.signers = {user: Signer(_key(user)) for user in tape.users}
        self.config = ExchangeConfig(
            chain_id=tape.head.chain_id,
            accept_foreign_user_signed=False,
            accept_foreign_l1=False,
            markets=tuple(MarketConfig(m.name, m.sz_decimals, m.max_leverage) for m in tape.head.markets),
            reporters=(_REPORTER,),
            balances=tuple((signer.address, FUNDS) for signer in self.signers.values()),
            action_credits=CREDITS,
        )
        self.exchange = Exchange.from_genesis(self.config, tape.head.start_ms)
        self._decimals = {
            m.name: (index, price_decimals(m.sz_decimals)) for index, m in enumerate(tape.head.markets)
        }

    def batches(self) -> Iterator[tuple[BatchContext, list[VerifiedAction]]]:
        """The tape in batches of a quarter of a second, without empty ones."""
        domain = Domain.coinone(self.tape.head.chain_id)
        for number, steps in groupby(self.tape.steps, key=lambda step: step.at_ms // BATCH_MS):
            held = list(steps)
            now = self.tape.head.start_ms + (number + 1) * BATCH_MS
            seq = number + 1
            reports = tuple(self._report(step, now) for step in held if step.prices)[-1:]
            context = BatchContext(seq, now, keccak256(b"tape" + seq.to_bytes(8, "big")), oracle=reports)
            yield context, [self._verified(step, domain) for step in held if step.action]

    def _verified(self, step: TapeStep, domain: Domain) -> VerifiedAction:
        moment = self.tape.head.start_ms + step.at_ms
        body = sign_action(self.signers[step.user], domain, step.action, at_ms=moment)
        return verify_action(envelopes_from_json(body, self.config.domain_rules)[0], self.config.domain_rules)

    def _report(self, step: TapeStep, now: int) -> OracleReport:
        placed = (self._decimals[name] + (text,) for name, text in step.prices.items())
        prices = tuple((index, parse_decimal(text, decimals)) for index, decimals, text in placed)
        return OracleReport(_REPORTER, now, tuple(sorted(prices)), keccak256(now.to_bytes(8, "big")))


def run(path: Path) -> None:
    console = Console()
    tape = read_tape(path)
    player = Player(tape)
    with console.status("signing and verifying the tape's actions"):
        batches = list(player.batches())
    summary = play(player.exchange, batches, console)
    _print(console, tape, player, summary)


def play(
    exchange: Exchange, batches: Sequence[tuple[BatchContext, list[VerifiedAction]]], console: Console
) -> Summary:
    summary = Summary()
    with Progress(console=console, transient=True) as progress:
        for context, actions in progress.track(batches, description="playing"):
            began = time.perf_counter()
            result = apply_exchange(exchange, context, actions)
            summary.seconds += time.perf_counter() - began
            _count(summary, result, len(actions))
    return summary


def _count(summary: Summary, result: ExchangeResult, actions: int) -> None:
    summary.batches += 1
    summary.actions += actions
    summary.digest = keccak256(summary.digest + result.digest)
    summary.statuses.update(outcome.status for outcome in result.outcomes)
    for event in result.events:
        if isinstance(event, Fill):
            summary.fills += 1
            summary.trades[event.market] += 1
            summary.volume[event.market] += event.px * event.sz
            summary.last_price[event.market] = event.px


def _print(console: Console, tape: Tape, player: Player, summary: Summary) -> None:
    table = Table("market", "trades", "volume", "last price")
    for index, market in enumerate(tape.head.markets):
        last = summary.last_price.get(index)
        table.add_row(
            market.name,
            str(summary.trades[index]),
            format_decimal(summary.volume[index], 6),
            "-" if last is None else format_decimal(last, price_decimals(market.sz_decimals)),
        )
    console.print(table)
    rate = summary.actions / summary.seconds if summary.seconds else 0
    outcomes = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    console.print(
        f"{tape.seconds:.0f} s of trading by {len(player.signers)} accounts: {summary.actions} actions "
        f"({outcomes or 'none'}) in {summary.batches} batches, executed in {summary.seconds:.2f} s ({rate:.0f}/s)",
        soft_wrap=True,
    )
    conserved = conserved_sum(player.exchange) == FUNDS * len(player.signers)
    digest = f"0x{summary.digest.hex()}"
    console.print(f"money conserved: {'yes' if conserved else 'NO'}; results: {digest}", soft_wrap=True)


def _key(user: str) -> bytes:
    """A trader's key. Anyone can compute it: it signs in this process only."""
    key = keccak256(b"coinone tape " + user.lower().encode())
    assert address_of(key), "the hash is a valid private key"
    return key
