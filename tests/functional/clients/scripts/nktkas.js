// @nktkas/hyperliquid over HTTP and WebSocket: every subscription it has, an order of the page's kind, refusals.
const hl = require("@nktkas/hyperliquid");
const { SymbolConverter } = require("@nktkas/hyperliquid/utils");
const { explorerBlock, explorerTxs } = require("@nktkas/hyperliquid/api/explorer");
const { privateKeyToAccount } = require("viem/accounts");

const [url, key] = process.argv.slice(1);
const wallet = privateKeyToAccount(key);
const http = new hl.HttpTransport({ isTestnet: true, apiUrl: url, rpcUrl: url });
const socket = new hl.WebSocketTransport({ isTestnet: true, url: url.replace("http", "ws") + "/ws", timeout: 5000 });
const info = new hl.InfoClient({ transport: http });
const exchange = new hl.ExchangeClient({ transport: http, wallet });
const streams = new hl.SubscriptionClient({ transport: socket });

async function market() {
  const names = await SymbolConverter.create({ transport: http });
  const asset = names.getAssetId("SOL");
  const px = (Number((await info.allMids()).SOL) * 1.02).toPrecision(5);
  const order = { a: asset, b: true, p: px, s: "0.3", r: false, t: { limit: { tif: "FrontendMarket" } } };
  const bought = await exchange.order({ orders: [order], grouping: "na" });
  const sell = { ...order, b: false, r: true, p: (Number(px) * 0.96).toPrecision(5) };
  await exchange.order({ orders: [sell], grouping: "na" });
  const fills = await info.userFills({ user: wallet.address, aggregateByTime: true });
  return { asset, filled: bought.response.data.statuses[0].filled, fills: fills.slice(0, 2).map((fill) => fill.sz) };
}

async function first(subscribe) {
  return await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("nothing came")), 8000).unref();
    subscribe(resolve).catch(reject);
  });
}

async function listen() {
  const user = wallet.address, config = { transport: socket };
  const wanted = {
    assetCtxs: (f) => streams.assetCtxs(f),
    allMids: (f) => streams.allMids(f),
    allDexsAssetCtxs: (f) => streams.allDexsAssetCtxs(f),
    allDexsClearinghouseState: (f) => streams.allDexsClearinghouseState({ user }, f),
    clearinghouseState: (f) => streams.clearinghouseState({ user }, f),
    fastAssetCtxs: (f) => streams.fastAssetCtxs(f),
    openOrders: (f) => streams.openOrders({ user }, f),
    spotState: (f) => streams.spotState({ user }, f),
    twapStates: (f) => streams.twapStates({ user }, f),
    userFills: (f) => streams.userFills({ user, aggregateByTime: true }, f),
    userHistoricalOrders: (f) => streams.userHistoricalOrders({ user }, f),
    webData3: (f) => streams.webData3({ user }, f),
    l2Book: (f) => streams.l2Book({ coin: "BTC" }, f),
    activeAssetData: (f) => streams.activeAssetData({ user, coin: "BTC" }, f),
    explorerBlock: (f) => explorerBlock(config, f),
    explorerTxs: (f) => explorerTxs(config, f),
  };
  return await Promise.all(Object.entries(wanted).map(async ([name, f]) => (await first(f)) && name));
}

async function refused(ask) {
  const started = Date.now();
  try {
    await ask();
    return "not refused";
  } catch (error) {
    return Date.now() - started < 4000 ? error.message : "only after its timeout";
  }
}

(async () => {
  const told = { market: await market(), streams: await listen() };
  told.refusal = await refused(() => streams.l2Book({ coin: "NOPE" }, () => {}));
  told.stop = await refused(() => exchange.order({
    orders: [
      { a: 0, b: true, p: "99999", s: "0.001", r: false, t: { limit: { tif: "Gtc" } } },
      { a: 0, b: false, p: "80000", s: "0.001", r: true, t: { trigger: { isMarket: true, triggerPx: "80000", tpsl: "sl" } } },
    ],
    grouping: "normalTpsl",
  }));
  const state = await info.clearinghouseState({ user: wallet.address });
  told.positions = state.assetPositions.length;
  console.log(JSON.stringify(told));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
