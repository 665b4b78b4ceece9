"""Ape: a contract deployed from its build, written to, its event and its revert read back."""

import json
import sys

from ape import accounts, networks
from ape.contracts import ContractContainer
from ethpm_types import ContractType

url, text = sys.argv[1:]
made = json.loads(text)
with networks.parse_network_choice(url) as provider:
    account = accounts.test_accounts[7]  # Ape's test words are those of the dev network
    build = {
        "contractName": "Store",
        "abi": made["abi"],
        "deploymentBytecode": {"bytecode": made["bytecode"]},
    }
    store = account.deploy(ContractContainer(ContractType.model_validate(build)), 41)
    receipt = store.set(42, sender=account)
    try:
        store.fail(sender=account)
        revert = "none"
    except Exception as error:
        revert = str(error)
    told = {"value": store.get(), "events": [log.value for log in receipt.events], "revert": revert}
print(json.dumps({"chain": provider.chain_id, **told}))
