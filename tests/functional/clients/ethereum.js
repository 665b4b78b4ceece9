// viem, ethers or web3.js: reads, a transfer, a contract deployed, called, written to, and its event read back.
// The contract's constructor and `set(uint256)` store a number and emit Set(uint256); `get()` returns it.
const [library, url, key, text] = process.argv.slice(1);
const { abi, bytecode } = JSON.parse(text);
const receiver = "0x" + "e1".repeat(20);

const drivers = {
  async viem() {
    const viem = require("viem"), { privateKeyToAccount } = require("viem/accounts");
    const chain = viem.defineChain({
      id: 926002, name: "coinone", nativeCurrency: { name: "Bitcoin", symbol: "BTC", decimals: 18 }, rpcUrls: { default: { http: [url] } },
    });
    const account = privateKeyToAccount(key), transport = viem.http(url);
    const reader = viem.createPublicClient({ chain, transport, pollingInterval: 200 });
    const writer = viem.createWalletClient({ chain, transport, account });
    const mined = async (hash) => await reader.waitForTransactionReceipt({ hash });
    const sent = await mined(await writer.sendTransaction({ to: receiver, value: 7n }));
    const address = (await mined(await writer.deployContract({ abi, bytecode, args: [41n] }))).contractAddress;
    const done = await mined(await writer.writeContract({ address, abi, functionName: "set", args: [42n] }));
    const logs = await reader.getContractEvents({ address, abi, fromBlock: 0n });
    const revert = await reader.simulateContract({ address, abi, functionName: "fail", account }).catch((error) => error.shortMessage);
    return {
      status: sent.status === "success" && done.status === "success",
      value: Number(await reader.readContract({ address, abi, functionName: "get" })),
      events: logs.map((log) => Number(log.args.value)), revert,
    };
  },
  async ethers() {
    const { ethers } = require("ethers");
    const provider = new ethers.JsonRpcProvider(url, undefined, { pollingInterval: 200 });
    const wallet = new ethers.NonceManager(new ethers.Wallet(key, provider));
    const sent = await (await wallet.sendTransaction({ to: receiver, value: 7n })).wait();
    const contract = await new ethers.ContractFactory(abi, bytecode, wallet).deploy(41n);
    await contract.waitForDeployment();
    const done = await (await contract.set(42n)).wait();
    const logs = await contract.queryFilter("Set", 0);
    const revert = await contract.fail.staticCall().catch((error) => error.reason);
    return {
      status: sent.status === 1 && done.status === 1, value: Number(await contract.get()),
      events: logs.map((log) => Number(log.args[0])), revert,
    };
  },
  async web3() {
    const { Web3 } = require("web3");
    const web3 = new Web3(url);
    web3.eth.transactionPollingInterval = 200;
    const from = web3.eth.accounts.wallet.add(key)[0].address;
    const sent = await web3.eth.sendTransaction({ from, to: receiver, value: 7n });
    const contract = await new web3.eth.Contract(abi).deploy({ data: bytecode, arguments: [41n] }).send({ from });
    const done = await contract.methods.set(42n).send({ from });
    const logs = await contract.getPastEvents("Set", { fromBlock: 0 });
    const revert = await contract.methods.fail().call().catch((error) => error.reason ?? error.cause?.message ?? error.message);
    return {
      status: sent.status === 1n && done.status === 1n, value: Number(await contract.methods.get().call()),
      events: logs.map((log) => Number(log.returnValues.value)), revert,
    };
  },
};

drivers[library]().then((told) => {
  console.log(JSON.stringify(told));
  process.exit(0);
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
