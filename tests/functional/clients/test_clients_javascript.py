"""web3.js v4, ethers v6 and viem against a node: deploy, send, read, subscribe, and what each does its own way."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import NODE, installed

pytestmark = pytest.mark.slow
PACKAGES = ("web3@4.16.0", "ethers@6.17.0", "viem@2.57.20")
# Init code that returns "PUSH0 SLOAD PUSH0 MSTORE PUSH1 20 PUSH0 RETURN" (slot 0) after storing 7 there
CODE = "0x60075f55" + "6008601160003960086000f3" + "00" + "5f545f5260205ff3"
OPTIONS = {"code": CODE, "chain": 926002}


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    with LocalNode() as made:
        yield made


def run(node: LocalNode, key: int, program: str) -> Any:
    """What the program prints last, as JSON. It finds its settings in `given`."""
    modules = installed(*PACKAGES)
    address = f"127.0.0.1:{node.rpc_port}"
    given = {
        **OPTIONS,
        "url": f"http://{address}",
        "ws": f"ws://{address}",
        "key": "0x" + dev_keys()[key].hex(),
    }
    source = f"const given = {json.dumps(given)};\n(async () => {{{program}}})()" + _END
    done = subprocess.run(
        [str(NODE), "-e", source], capture_output=True, text=True, cwd=modules.parent, timeout=90,
        env={**os.environ, "NODE_PATH": str(modules)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


_END = """.then((answer) => {
  console.log(JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? Number(value) : value)));
  process.exit(0);
}).catch((error) => { console.error(error); process.exit(1); });"""


def test_web3js_deploys_calls_sends_and_subscribes(node: LocalNode) -> None:
    """It sends the same call under `input` and `data`, and fields that no node knows."""
    answer = run(
        node,
        1,
        """
        const { Web3 } = require("web3");
        const web3 = new Web3(given.url), account = web3.eth.accounts.wallet.add(given.key)[0];
        const heard = new Web3(given.ws);
        const heads = await heard.eth.subscribe("newBlockHeaders");
        const first = new Promise((resolve) => heads.once("data", (head) => resolve(Number(head.number))));
        const made = await new web3.eth.Contract([]).deploy({ data: given.code }).send({ from: account.address });
        const value = await web3.eth.call({ to: made.options.address });
        const sent = await web3.eth.sendTransaction({ from: account.address, to: account.address, value: 1 });
        const gas = await web3.eth.estimateGas({ from: account.address, to: made.options.address });
        return { value: Number(BigInt(value)), status: sent.status, gas, head: await first };
        """,
    )
    assert (answer["value"], answer["status"]) == (7, 1)
    assert answer["gas"] > 21_000 and answer["head"] >= 0


def test_ethers_deploys_calls_sends_and_hears_of_pending_transactions(node: LocalNode) -> None:
    answer = run(
        node,
        2,
        """
        const { ethers } = require("ethers");
        const provider = new ethers.JsonRpcProvider(given.url), signer = new ethers.Wallet(given.key, provider);
        const socket = new ethers.WebSocketProvider(given.ws);
        const heard = new Promise((resolve) => socket.on("pending", resolve));
        await socket.getBlockNumber();
        const made = await new ethers.ContractFactory([], given.code, signer).deploy();
        await made.waitForDeployment();
        const value = Number(await provider.call({ to: await made.getAddress() }));
        const poor = ethers.Wallet.createRandom(provider);
        const refusal = await poor.estimateGas({ to: signer.address, value: 1 }).catch((error) => error.code);
        return { value, refusal, heard: await heard, hash: made.deploymentTransaction().hash };
        """,
    )
    assert answer["value"] == 7 and answer["refusal"] == "INSUFFICIENT_FUNDS"
    assert answer["heard"] == answer["hash"]


def test_viem_deploys_calls_overrides_simulates_and_sends_at_once(node: LocalNode) -> None:
    answer = run(
        node,
        3,
        """
        const viem = require("viem"), { privateKeyToAccount } = require("viem/accounts");
        const chain = viem.defineChain({ id: given.chain, name: "dev", rpcUrls: { default: { http: [given.url] } },
                                         nativeCurrency: { name: "BTC", symbol: "BTC", decimals: 18 } });
        const account = privateKeyToAccount(given.key), transport = viem.http(given.url);
        const open = viem.createPublicClient({ chain, transport });
        const wallet = viem.createWalletClient({ chain, transport, account });
        const hash = await wallet.deployContract({ abi: [], bytecode: given.code });
        const { contractAddress } = await open.waitForTransactionReceipt({ hash });
        const slot = viem.pad("0x0", { size: 32 });
        const plain = await open.call({ to: contractAddress });
        const stateOverride = [{ address: contractAddress, stateDiff: [{ slot, value: viem.pad("0x9") }] }];
        const other = await open.call({ to: contractAddress, stateOverride });
        const [block] = await open.simulateBlocks({ blocks: [{ calls: [{ to: contractAddress }] }] });
        const cheap = await open.call({ account, to: contractAddress, maxFeePerGas: 1n })
          .catch((error) => error.cause.name);
        return { plain: Number(plain.data), other: Number(other.data), simulated: Number(block.calls[0].data), cheap };
        """,
    )
    assert answer == {"plain": 7, "other": 9, "simulated": 7, "cheap": "FeeCapTooLowError"}
