// ccxt for JavaScript, REST and streams: read the market, place, find and cancel an order, watch a book.
const ccxt = require("ccxt");
const [url, key, walletAddress] = process.argv.slice(1);

(async () => {
  const ws = url.replace("http", "ws") + "/ws";
  const exchange = new ccxt.pro.hyperliquid({
    walletAddress, privateKey: key, urls: { api: { public: url, private: url, ws: { public: ws } } },
  });
  await exchange.loadHttpProxyAgent(); // ccxt asks for it where a stream is not TLS
  await exchange.loadMarkets();
  const symbol = "ETH/USDC:USDC";
  const { last } = await exchange.fetchTicker(symbol);
  const order = await exchange.createOrder(symbol, "limit", "buy", 0.2, Number(exchange.priceToPrecision(symbol, last * 0.95)));
  const found = await exchange.fetchOrder(order.id, symbol);
  await exchange.cancelOrder(order.id, symbol);
  const market = await exchange.createOrder(symbol, "market", "buy", 0.05, last);
  await exchange.createOrder(symbol, "market", "sell", 0.05, last, { reduceOnly: true });
  const book = await exchange.watchOrderBook(symbol);
  console.log(JSON.stringify({
    status: found.status, filled: market.filled, crossed: book.bids[0][0] >= book.asks[0][0],
    history: (await exchange.fetchOrders(symbol)).some((each) => each.id === order.id),
  }));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
