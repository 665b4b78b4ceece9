// Safe's kit: its contracts laid by the singleton factory, a Safe of two owners made, paid from, and made one of one.
const fs = require("fs"), path = require("path");
const Safe = require("@safe-global/protocol-kit").default;
const published = require("@safe-global/safe-deployments");
const viem = require("viem"), { privateKeyToAccount } = require("viem/accounts");

const [url, key, other] = process.argv.slice(1);
const FACTORY = "0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7", SALT = viem.pad("0x0"), VERSION = "1.4.1";
const ARTIFACTS = path.join(process.env.NODE_PATH, "@safe-global/safe-contracts/build/artifacts/contracts");
// By the kit's name for each address: the artifact's file, and its entry among the published deployments.
const CONTRACTS = {
  safeSingletonAddress: ["SafeL2.sol/SafeL2", "getSafeL2SingletonDeployment"],
  safeProxyFactoryAddress: ["proxies/SafeProxyFactory.sol/SafeProxyFactory", "getProxyFactoryDeployment"],
  fallbackHandlerAddress: [
    "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler", "getCompatibilityFallbackHandlerDeployment",
  ],
  multiSendAddress: ["libraries/MultiSend.sol/MultiSend", "getMultiSendDeployment"],
  multiSendCallOnlyAddress: ["libraries/MultiSendCallOnly.sol/MultiSendCallOnly", "getMultiSendCallOnlyDeployment"],
  signMessageLibAddress: ["libraries/SignMessageLib.sol/SignMessageLib", "getSignMessageLibDeployment"],
  createCallAddress: ["libraries/CreateCall.sol/CreateCall", "getCreateCallDeployment"],
  simulateTxAccessorAddress: ["accessors/SimulateTxAccessor.sol/SimulateTxAccessor", "getSimulateTxAccessorDeployment"],
};

const chain = viem.defineChain({
  id: 926002, name: "dev", rpcUrls: { default: { http: [url] } },
  nativeCurrency: { name: "BTC", symbol: "BTC", decimals: 18 },
});
const owners = [key, other].map((each) => privateKeyToAccount(each));
const open = viem.createPublicClient({ chain, transport: viem.http(url), pollingInterval: 200 });
const wallet = viem.createWalletClient({ chain, transport: viem.http(url), account: owners[0] });

async function mined(...drafts) {
  const { address } = wallet.account;
  const first = await open.getTransactionCount({ address, blockTag: "pending" });
  const hashes = await Promise.all(drafts.map(({ to, value, data }, place) =>
    wallet.sendTransaction({ to, data, value: BigInt(value ?? 0), nonce: first + place })));
  return await Promise.all(hashes.map((hash) => open.waitForTransactionReceipt({ hash })));
}

async function lay() {
  const addresses = {}, missing = [];
  for (const [name, [file]] of Object.entries(CONTRACTS)) {
    const { bytecode } = JSON.parse(fs.readFileSync(path.join(ARTIFACTS, file + ".json")));
    addresses[name] = viem.getContractAddress({ opcode: "CREATE2", from: FACTORY, salt: SALT, bytecode });
    if (!await open.getCode({ address: addresses[name] })) missing.push({ to: FACTORY, data: viem.concatHex([SALT, bytecode]) });
  }
  await mined(...missing);
  return addresses;
}

async function differing(addresses) {
  const found = await Promise.all(Object.entries(CONTRACTS).map(async ([name, [, entry]]) => {
    const { address, codeHash } = published[entry]({ version: VERSION }).deployments.canonical;
    const code = await open.getCode({ address });
    return address === addresses[name] && viem.keccak256(code ?? "0x") === codeHash ? [] : [name];
  }));
  return found.flat();
}

async function made(contractNetworks) {
  const predictedSafe = {
    safeAccountConfig: { owners: owners.map(({ address }) => address), threshold: 2 },
    safeDeploymentConfig: { safeVersion: VERSION, saltNonce: String(Date.now()) },
  };
  const planned = await Safe.init({ provider: url, signer: key, predictedSafe, contractNetworks });
  const safeAddress = await planned.getAddress();
  await mined({ to: safeAddress, value: 1000 }, await planned.createSafeDeploymentTransaction());
  return await Safe.init({ provider: url, signer: key, safeAddress, contractNetworks });
}

(async () => {
  const addresses = await lay();
  const told = { differing: await differing(addresses) };
  const safe = await made({ 926002: addresses });
  const second = await safe.connect({ provider: url, signer: other });
  told.made = [safe.getContractVersion(), (await safe.getOwners()).length, await safe.getThreshold()];
  const run = async (signed) => await open.waitForTransactionReceipt({ hash: (await safe.executeTransaction(signed)).hash });
  const to = viem.getContractAddress({ from: await safe.getAddress(), nonce: 0n }); // nobody's, and new at each run
  const transactions = [{ to, value: "3", data: "0x" }, { to, value: "4", data: "0x" }];
  const drawn = await safe.createTransaction({ transactions });
  const half = await safe.signTransaction(drawn);
  told.half = await safe.isValidTransaction(half).catch((error) => error.shortMessage ?? error.message);
  told.paid = (await run(await second.signTransaction(half))).status;
  told.received = Number(await open.getBalance({ address: to }));
  const change = await safe.createChangeThresholdTx(1);
  await run(await second.signTransaction(await safe.signTransaction(change)));
  told.threshold = await safe.getThreshold();
  const message = await safe.signMessage(safe.createMessage("hello"));
  const signature = message.encodedSignatures(), address = await safe.getAddress();
  told.message = await open.verifyMessage({ address, message: "hello", signature }); // EIP-1271, through a call without `to`
  told.other = await open.verifyMessage({ address, message: "goodbye", signature });
  console.log(JSON.stringify(told));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
