"""Titanoboa: a Vyper contract compiled, deployed, written to and read; then read in a fork of the same node."""

import json
import sys

import boa
from eth_account import Account

SOURCE = """
value: uint256

@deploy
def __init__(first: uint256):
    self.value = first

@external
def set(next: uint256):
    self.value = next

@external
@view
def get() -> uint256:
    return self.value

@external
def fail():
    raise "not today"
"""

url, key = sys.argv[1:]
boa.set_network_env(url)
boa.env.add_account(Account.from_key(key))
store = boa.loads(SOURCE, 41)
store.set(42)
value = store.get()
try:
    store.fail()
    reverted = False
except boa.BoaError:
    reverted = True
with boa.swap_env(boa.Env()):
    boa.fork(url, block_identifier="latest")
    forked = boa.loads_partial(SOURCE).at(store.address).get()
print(json.dumps({"value": value, "forked": forked, "reverted": reverted}))
