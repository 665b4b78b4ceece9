// Hardhat: a contract deployed and written to over its http network, then read in a fork of the same node.
const { createHardhatRuntimeEnvironment } = require("hardhat/hre");
const [url, key, text] = process.argv.slice(1);
const { bytecode } = JSON.parse(text);
const word = (number) => BigInt(number).toString(16).padStart(64, "0");
const SET = "0x60fe47b1", GET = "0x6d4ce63c"; // selectors of set(uint256) and get()

(async () => {
  const environment = await createHardhatRuntimeEnvironment({
    chainDescriptors: {
      926002: { name: "coinone", chainType: "l1", hardforkHistory: { osaka: { blockNumber: 0 } } },
    },
    networks: {
      coinone: { type: "http", chainType: "l1", url, accounts: [key] },
      fork: { type: "edr-simulated", chainType: "l1", forking: { url } },
    },
  });
  const { provider } = await environment.network.connect("coinone");
  const ask = (method, ...params) => provider.request({ method, params });
  const [from] = await ask("eth_accounts");
  const mined = async (hash) => {
    for (let turn = 0; turn < 150; turn++) {
      const receipt = await ask("eth_getTransactionReceipt", hash);
      if (receipt) return receipt;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error("not mined");
  };
  const made = await mined(await ask("eth_sendTransaction", { from, data: bytecode + word(41) }));
  const to = made.contractAddress;
  const done = await mined(await ask("eth_sendTransaction", { from, to, data: SET + word(42) }));
  const fork = (await environment.network.connect("fork")).provider;
  const forked = await fork.request({ method: "eth_call", params: [{ to, data: GET }, "latest"] });
  const value = await ask("eth_call", { to, data: GET }, "latest");
  console.log(JSON.stringify({ status: Number(done.status), value: Number(value), forked: Number(forked) }));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
