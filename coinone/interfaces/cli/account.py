"""`coinone account`: keys, balances, and agents, which may trade for an account but never move its funds."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Keys, balances and agents.", no_args_is_help=True)

Url = Annotated[str, typer.Option("--url", help="The node's exchange API.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="Signing key: a key store, or a file with a private key in hex."),
]
Dev = Annotated[int | None, typer.Option("--dev", help="Sign with public dev account 0 to 9.")]
_URL = "http://localhost:3001"
LIST_WIDTH = 140  # so that a narrow terminal wraps addresses and amounts instead of cutting them


def _address(text: str) -> bytes:
    """An address typed by the user. Raises InvalidInput."""
    from coinone.base.primitives.errors import DecodeError, InvalidInput
    from coinone.base.primitives.parse import parse_address

    try:
        return parse_address(text)
    except DecodeError:
        raise InvalidInput(f"{text[:60]} is not an address: expected 0x and 40 hex digits") from None


@app.command("new")
def new(
    out: Annotated[Path, typer.Argument(help="The file to write.")] = Path("coinone-key.json"),
) -> None:
    """Create a private key in an encrypted key store file (the format of geth, Foundry and MetaMask)."""
    import json
    import secrets

    from coinone.interfaces.cli.keys import fresh_key, write_private
    from coinone.interfaces.client import keystore

    password = typer.prompt("Password for the new key", hide_input=True, confirmation_prompt=True, err=True)
    store = keystore.lock(fresh_key(), password, secrets.token_bytes(64))
    write_private(out, json.dumps(store))
    typer.echo(f"0x{store['address']}  in {out}")


@app.command("list")
def list_accounts(
    url: Url = _URL,
    user: Annotated[list[str] | None, typer.Argument(help="Addresses; default: the dev accounts.")] = None,
) -> None:
    """Show the balances of accounts, on the EVM and on the exchange."""
    from rich.console import Console
    from rich.table import Table

    from coinone.base.crypto.secp256k1 import address_of
    from coinone.base.primitives.parse import format_decimal, parse_quantity
    from coinone.interfaces.client import Client
    from coinone.interfaces.client.dev import dev_keys

    console = Console()
    console.width = max(console.width, LIST_WIDTH)
    shown = [_address(each) for each in user or ()] or [address_of(key) for key in dev_keys()]
    table = Table("", "address", "gas coin", "token on the EVM", "exchange equity", "withdrawable")
    with Client(url) as client:
        for number, address in enumerate(f"0x{each.hex()}" for each in shown):
            coins = format_decimal(parse_quantity(client.rpc("eth_getBalance", address, "latest")), 18)
            summary = client.summary(address)
            equity = summary["marginSummary"]["accountValue"]
            token = str(client.token_balance(address))
            table.add_row(str(number), address, coins, token, equity, summary["withdrawable"])
    console.print(table)
    if not user:
        typer.echo("These keys are public (mnemonic 'test test ... junk') and therefore worthless.")


@app.command("check")
def check(
    user: Annotated[str, typer.Argument(help="The account's address.")],
    url: Url = _URL,
    block: Annotated[
        str | None,
        typer.Option("--block", help="Expected hash of the block, from a node that you trust."),
    ] = None,
) -> None:
    """Verify an account's balance, positions and orders against a block hash, without trusting the node."""
    from rich.console import Console
    from rich.table import Table

    from coinone.base.primitives.parse import format_bytes, format_decimal, parse_hash
    from coinone.interfaces.client import Client

    address = format_bytes(_address(user))
    wanted = None if block is None else format_bytes(parse_hash(block))
    with Client(url) as client:
        proven = client.proven_account(address, wanted)
        names = {market.asset: market for market in client.markets().values()}
    table = Table("proven", "", "size", "price or cost")
    for number, held in proven.positions.items():
        if held["size"]:
            size = format_decimal(held["size"], names[number].size_decimals)
            table.add_row("position", names[number].name, size, format_decimal(held["entry_notional"], 6))
    for oid, order in proven.orders.items():
        market = names[order["market"]]
        price = format_decimal(order["px"], 6 - market.size_decimals)
        size = format_decimal(order["sz"], market.size_decimals)
        table.add_row(f"{'sell' if order['side'] else 'buy'} {oid}", market.name, size, price)
    console = Console()
    console.print(
        f"account  {proven.address}\nblock    {proven.block_number}  {proven.block_hash}", soft_wrap=True
    )
    console.print(f"cash     {format_decimal(proven.account['cash'], 6)}")
    if table.row_count:
        console.print(table)


@app.command("agent")
def agent(
    name: Annotated[
        str | None, typer.Argument(help="Name of the agent; an agent of the same name is replaced.")
    ] = None,
    url: Url = _URL,
    key_file: KeyFile = None,
    dev: Dev = None,
    compat: Annotated[
        bool, typer.Option("--compat", help="Accept the signatures of Hyperliquid's own clients (SDK, ccxt).")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the agent's key to this file instead of showing it.")
    ] = None,
) -> None:
    """Create a key that may trade for the signing account, but never transfer, withdraw or approve."""
    from coinone.base.primitives.parse import format_bytes
    from coinone.interfaces.cli.keys import fresh_key, load_key, write_private
    from coinone.interfaces.client import Client, Signer

    key = fresh_key()
    address = format_bytes(Signer(key).address)
    with Client(url, key=load_key(key_file, dev)) as client:
        client.approve_agent(address, name, compat)
        if out is not None:
            write_private(out, format_bytes(key))
        typer.echo(f"account  {client.account}\nagent    {address}{'  (compat)' if compat else ''}")
        typer.echo(f"key      {format_bytes(key) if out is None else out}")
    if compat:
        typer.echo("Do not use this key on another exchange: what it signs there could be replayed here.")
