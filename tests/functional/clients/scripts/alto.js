// alto, an ERC-4337 bundler, as a program beside the node; permissionless.js and viem ask it to carry operations.
const { spawn } = require("child_process"), fs = require("fs"), path = require("path");
const viem = require("viem"), { generatePrivateKey, privateKeyToAccount } = require("viem/accounts");
const { entryPoint08Address } = require("viem/account-abstraction");
const { createSmartAccountClient } = require("permissionless");
const { toSimpleSmartAccount } = require("permissionless/accounts");
const { createPimlicoClient } = require("permissionless/clients/pimlico");

const [url, key, executor, port] = process.argv.slice(1);
const bundler = `http://127.0.0.1:${port}`, modules = process.env.NODE_PATH;
const PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C", ZERO = viem.pad("0x0");
const ENTRY_SALT = "0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9"; // what its publishers deploy it with

const chain = viem.defineChain({
  id: 926002, name: "dev", rpcUrls: { default: { http: [url] } },
  nativeCurrency: { name: "BTC", symbol: "BTC", decimals: 18 },
});
const open = viem.createPublicClient({ chain, transport: viem.http(url), pollingInterval: 200 });
const wallet = viem.createWalletClient({ chain, transport: viem.http(url), account: privateKeyToAccount(key) });
const code = (name) =>
  JSON.parse(fs.readFileSync(path.join(modules, "@account-abstraction/contracts/artifacts", name + ".json"))).bytecode;
const mined = async (draft) => await open.waitForTransactionReceipt({ hash: await wallet.sendTransaction(draft) });

async function laid(salt, bytecode) {
  const address = viem.getContractAddress({ opcode: "CREATE2", from: PROXY, salt, bytecode });
  if (!await open.getCode({ address })) await mined({ to: PROXY, data: viem.concatHex([salt, bytecode]) });
  return address;
}

async function started(entry) {
  const options = {
    entrypoints: entry, "rpc-url": url, port, "executor-private-keys": executor, "utility-private-key": executor,
    "safe-mode": false, "min-executor-balance": 0, "log-level": "warn",
  };
  const words = Object.entries(options).flatMap(([name, value]) => ["--" + name, String(value)]);
  const program = path.join(modules, "@pimlico/alto/esm/cli/alto.js");
  const alto = spawn(process.execPath, [program, "run", ...words], { stdio: ["ignore", 2, 2] });
  process.on("exit", () => alto.kill());
  for (let turn = 0; turn < 300; turn++) {
    if (await fetch(bundler + "/health").then((answer) => answer.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("alto did not start");
}

(async () => {
  const entry = await laid(ENTRY_SALT, code("EntryPoint"));
  const factoryAddress = await laid(ZERO, viem.concatHex([code("SimpleAccountFactory"), viem.pad(entry)]));
  const accountLogicAddress = await laid(ZERO, viem.concatHex([code("Simple7702Account"), viem.pad(entry)]));
  await started(entry);
  const entryPoint = { address: entry, version: "0.8" }, transport = viem.http(bundler);
  const pimlico = createPimlicoClient({ chain, transport, entryPoint });
  const estimateFeesPerGas = async () => (await pimlico.getUserOperationGasPrice()).fast;
  const smart = (account) => createSmartAccountClient({
    account, chain, bundlerTransport: transport, client: open, userOperation: { estimateFeesPerGas },
  });
  const owner = privateKeyToAccount(generatePrivateKey()), delegating = privateKeyToAccount(generatePrivateKey());
  const made = await toSimpleSmartAccount({ client: open, owner, entryPoint, factoryAddress });
  const delegated = await toSimpleSmartAccount({ client: open, owner: delegating, entryPoint, eip7702: true, accountLogicAddress });
  for (const { address } of [made, delegated]) await mined({ to: address, value: viem.parseEther("0.01") });
  const carry = async (account, more = {}) => {
    const to = account.address, data = "0x";
    const calls = [{ to: PAID, value: 5n, data }, { to: PAID, value: 6n, data }];
    const hash = await smart(account).sendUserOperation({ calls, ...more });
    const { success, receipt } = await pimlico.waitForUserOperationReceipt({ hash, timeout: 30_000 });
    return { success, status: receipt.status, through: viem.isAddressEqual(receipt.to, entry) };
  };
  const PAID = privateKeyToAccount(generatePrivateKey()).address;
  const told = { entry: entry === entryPoint08Address, operations: [await carry(made), await carry(made)] };
  const authorization = await delegating.signAuthorization({ chainId: chain.id, nonce: 0, contractAddress: accountLogicAddress });
  told.operations.push(await carry(delegated, { authorization }));
  told.delegation = await open.getCode({ address: delegated.address }) === viem.concatHex(["0xef0100", accountLogicAddress]).toLowerCase();
  told.paid = Number(await open.getBalance({ address: PAID }));
  const poor = { calls: [{ to: PAID, value: viem.parseEther("5") }] };
  told.refusal = await smart(made).sendUserOperation(poor).then(() => "none", (error) => error.shortMessage);
  console.log(JSON.stringify(told));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
