"""anvil, Foundry's Ethereum node: another program to hold ours against. It comes as an npm package (`npm.py`)."""

from pathlib import Path

_NAME = "@foundry-rs/anvil-linux-amd64"
PACKAGE = f"{_NAME}@1.7.1"


def program_in(modules: Path) -> str:
    """Where it lies in the node_modules folder that holds the package."""
    return str(modules / _NAME / "bin" / "anvil")


def command(program: str, port: int, **options: object) -> list[str]:
    """To run it quietly under Osaka's rules; `chain_id=1` is `--chain-id 1`, and True stands for no value."""
    words = [program, "--port", str(port), "--hardfork", "osaka", "--quiet"]
    for name, value in options.items():
        words += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
    return words
