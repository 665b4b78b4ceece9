"""Contracts through web3.py, as its documentation does it: estimate, sign, send, wait for the receipt."""

from typing import Any

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

Artifact = tuple[list[dict[str, Any]], str]
TOKEN = Web3.to_checksum_address("0x00000000000000000000000000000000c0110001")
SYSTEM_ADDRESS = Web3.to_checksum_address("0x2000000000000000000000000000000000000000")


class Chain:
    """A node as one account sees it."""

    def __init__(self, rpc_url: str, wallet: LocalAccount) -> None:
        self.web3 = Web3(Web3.HTTPProvider(rpc_url, request_kwargs={"timeout": 30}))
        self.web3.eth.default_account = wallet.address
        self.wallet = wallet

    @property
    def address(self) -> str:
        return self.wallet.address

    def send(self, draft: dict[str, Any]) -> TxReceipt:
        """Sign, send and wait; the receipt, whatever it says."""
        return self.web3.eth.wait_for_transaction_receipt(self.post(draft), timeout=30)

    def post(self, draft: dict[str, Any]) -> HexBytes:
        """Sign and send; the hash."""
        eth = self.web3.eth
        filled = {
            "chainId": eth.chain_id,
            "nonce": eth.get_transaction_count(self.address, "pending"),
            "maxFeePerGas": 2 * eth.gas_price,
            "maxPriorityFeePerGas": 0,
            **draft,
        }
        filled.pop("from", None)
        if "gas" not in filled:
            filled["gas"] = eth.estimate_gas({**filled, "from": self.address})
        return eth.send_raw_transaction(self.wallet.sign_transaction(filled).raw_transaction)

    def do(self, call: Any, **fields: Any) -> TxReceipt:
        """Send a contract's function; it must succeed with exactly the gas that eth_estimateGas named."""
        draft = {"to": call.address, "data": call._encode_transaction_data(), "value": 0, **fields}
        receipt = self.send(draft)
        assert receipt["status"] == 1, f"{call.fn_name} failed"
        return receipt

    def deploy(self, artifact: Artifact, *arguments: Any) -> Contract:
        abi, code = artifact
        made = self.web3.eth.contract(abi=abi, bytecode=code)
        receipt = self.send({"data": made.constructor(*arguments).data_in_transaction, "value": 0, "to": b""})
        assert receipt["status"] == 1, "the constructor failed"
        return self.web3.eth.contract(receipt["contractAddress"], abi=abi)
