"""The public accounts of the dev network: known to everyone, worthless, and allocated nowhere else."""

from coinone.base.crypto.hd import ethereum_keys

# The mnemonic that every Ethereum development tool uses: anyone can spend the balances of its accounts.
DEV_MNEMONIC = "test test test test test test test test test test test junk"
DEV_ACCOUNTS = 10  # 0-9: for the user
DEMO_ACCOUNTS = 10  # 10-19: for the demo market


def dev_keys() -> list[bytes]:
    return ethereum_keys(DEV_MNEMONIC, DEV_ACCOUNTS)


def demo_keys() -> list[bytes]:
    return ethereum_keys(DEV_MNEMONIC, DEMO_ACCOUNTS, start=DEV_ACCOUNTS)
