"""The public accounts of the dev network: everybody's, worthless on purpose, and allocated nowhere else."""

from coinone.base.crypto.hd import ethereum_keys

# The phrase that every Ethereum development tool uses: whoever reads this can spend what its accounts hold.
DEV_MNEMONIC = "test test test test test test test test test test test junk"
DEV_ACCOUNTS = 10  # 0-9: for the person at the keyboard
DEMO_ACCOUNTS = 10  # 10-19: the demo market's


def dev_keys() -> list[bytes]:
    return ethereum_keys(DEV_MNEMONIC, DEV_ACCOUNTS)


def demo_keys() -> list[bytes]:
    return ethereum_keys(DEV_MNEMONIC, DEMO_ACCOUNTS, start=DEV_ACCOUNTS)
