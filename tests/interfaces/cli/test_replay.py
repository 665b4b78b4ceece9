"""The tape that comes with the package, played: money is conserved and the result is the same everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coinone.interfaces.cli.main import SAMPLE_TAPE
from coinone.interfaces.cli.tapes.tape import TapeHead, TapeMarket, TapeStep, read_tape, write_tape


def replay(tape: Path, hash_seed: str = "0") -> str:
    command = [sys.executable, "-m", "coinone.interfaces.cli.main", "replay", str(tape)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "COLUMNS": "200", "TZ": "Asia/Tokyo"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def result(output: str) -> str:
    return output.split("results:")[1].strip()


def order(is_buy: bool, price: str, size: str, tif: str) -> dict[str, object]:
    wire = {"a": 0, "b": is_buy, "p": price, "s": size, "r": False, "t": {"limit": {"tif": tif}}}
    return {"type": "order", "orders": [wire], "grouping": "na"}


@pytest.fixture(scope="module")
def small_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices, one resting bid of 0.5 at 96,990, one sale of 0.2 into it."""
    head = TapeHead(1, 926002, 1_700_000_000_000, (TapeMarket("BTC", 5, 50),))
    steps = (
        TapeStep(0, prices={"BTC": "97000"}),
        TapeStep(300, "0x" + "aa" * 20, order(True, "96990", "0.5", "Alo")),
        TapeStep(700, "0x" + "bb" * 20, order(False, "96900", "0.2", "Ioc")),
    )
    tape = tmp_path_factory.mktemp("tapes") / "small.tape"
    write_tape(tape, head, steps)
    return tape


@pytest.fixture(scope="module")
def output(small_tape: Path) -> str:
    return replay(small_tape, "1")


def test_a_tape_of_one_trade_gives_one_trade(output: str) -> None:
    # The seller takes the resting bid at its price: 0.2 x 96,990 = 19,398.
    (row,) = [line for line in output.splitlines() if "BTC" in line]
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["BTC", "1", "19398", "96990"]
    assert "2 executed" in output and "money conserved: yes" in output


def test_the_result_depends_on_the_tape_alone(small_tape: Path, output: str) -> None:
    assert result(output) == result(replay(small_tape, "2"))


def test_the_tape_of_the_package_is_small_and_holds_a_market() -> None:
    assert SAMPLE_TAPE.stat().st_size < 500_000
    tape = read_tape(SAMPLE_TAPE)
    assert [market.name for market in tape.head.markets] == ["BTC", "ETH", "SOL"]
    assert len(tape.users) == 10 and tape.seconds > 100


@pytest.mark.slow
def test_the_tape_of_the_package_plays_to_the_end() -> None:
    output = replay(SAMPLE_TAPE)
    assert "money conserved: yes" in output
    assert all(name in output for name in ("BTC", "ETH", "SOL"))
    assert result(output) == result(replay(SAMPLE_TAPE, "7"))
