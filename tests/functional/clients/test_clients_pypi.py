"""Clients from PyPI whose dependencies are too many for our environment: each in one of its own, unmodified."""

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import compiled, installed
from tests.functional.clients.venv import SCRIPTS, environment, told, without_ours
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.long
ACCOUNT = 6
SOLC = "solc@0.8.30"


def test_titanoboa_deploys_writes_reads_and_forks(
    market_node: LocalNode, wallet: LocalAccount, tmp_path: Path
) -> None:
    seen = told(
        environment("titanoboa==0.2.8"), tmp_path, "titanoboa_store.py", market_node.rpc_url, wallet.key.hex()
    )
    assert seen == {"value": 42, "forked": 42, "reverted": True}


def test_ape_deploys_writes_and_hears(market_node: LocalNode, tmp_path: Path) -> None:
    abi, code = compiled(installed(SOLC), SCRIPTS / "Store.sol", "Store")
    text = json.dumps({"abi": abi, "bytecode": code})
    seen = told(environment("eth-ape==0.8.52"), tmp_path, "ape_store.py", market_node.rpc_url, text)
    assert seen == {"chain": 926002, "value": 42, "events": [42], "revert": "not today"}


def test_freqtrade_opens_a_position_and_closes_it(
    market_node: LocalNode, wallet: LocalAccount, tmp_path: Path
) -> None:
    settings, database = tmp_path / "config.json", tmp_path / "trades.sqlite"
    settings.write_text(json.dumps(_freqtrade_settings(market_node, wallet)))
    arguments = [
        "trade",
        "-c",
        str(settings),
        "--userdir",
        str(tmp_path),
        "--db-url",
        f"sqlite:///{database}",
    ]
    strategy = ["--strategy", "Always", "--strategy-path", str(SCRIPTS)]
    program = environment("freqtrade==2026.9") / "freqtrade"
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [str(program), *arguments, *strategy], stdout=log, stderr=log, env=without_ours()
        )
        try:
            wait_for(lambda: _closed_trades(database), "a trade that was closed", 180)
        finally:
            running.terminate()
            running.wait(60)


def _closed_trades(database: Path) -> int:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            (count,) = connection.execute("SELECT COUNT(*) FROM trades WHERE is_open = 0").fetchone()
    except sqlite3.OperationalError:  # not made yet
        return 0
    return int(count)


def _freqtrade_settings(node: LocalNode, wallet: LocalAccount) -> dict[str, Any]:
    """The least that lets it trade futures; a user's own would name our URLs the same way."""
    api = {"public": node.url, "private": node.url, "ws": {"public": f"{node.url.replace('http', 'ws')}/ws"}}
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    return {
        "initial_state": "running",
        "max_open_trades": 1,
        "stake_currency": "USDC",
        "stake_amount": 200,
        "dry_run": False,
        "trading_mode": "futures",
        "margin_mode": "cross",
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "unfilledtimeout": {"entry": 1, "exit": 1, "unit": "minutes"},
        "exchange": {
            "name": "hyperliquid",
            "walletAddress": wallet.address,
            "privateKey": "0x" + wallet.key.hex().removeprefix("0x"),
            "ccxt_config": {"urls": {"api": api}},
            "pair_whitelist": ["SOL/USDC:USDC"],
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 2},
    }
