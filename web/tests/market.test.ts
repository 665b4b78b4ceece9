// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { flushSync } from 'svelte'
import { test, vi } from 'vitest'
import { Listing } from '../src/market/listing.svelte.ts'
import { Market } from '../src/market/market.svelte.ts'
import { book, marketsAnswer, testNode } from './node.ts'

async function twoMarkets() {
  const { node, open, say } = testNode({ metaAndAssetCtxs: marketsAnswer({ BTC: '97000', ETH: '3000' }) })
  const listing = new Listing(node)
  const [btc, eth] = [new Market(node, listing, 'BTC'), new Market(node, listing, 'ETH')]
  for (const part of [node, listing, btc, eth]) part.start()
  flushSync()
  open()
  await vi.waitFor(() => assert.equal(listing.all.length, 2))
  return { listing, btc, eth, say }
}

test('a page can show two markets: each has its own book and prices', async () => {
  const { btc, eth, say } = await twoMarkets()
  say('l2Book', book('BTC', '96990', '97010'))
  say('l2Book', book('ETH', '2999', '3001'))
  assert.deepEqual([btc.book.mid, eth.book.mid], [97000, 3000])
  assert.deepEqual([btc.markPx, eth.markPx], [97000, 3000])
})

test('a trade stands on the tape of its own market, once', async () => {
  const { btc, eth, say } = await twoMarkets()
  const trade = { coin: 'ETH', side: 'B', px: '3000', sz: '1', time: 5, hash: '0x', tid: 7 }
  say('trades', [trade])
  say('trades', [trade])
  assert.deepEqual([btc.book.tape.length, eth.book.tape.length], [0, 1])
})

test('grouping one ladder leaves prices and the other ladder alone', async () => {
  const { btc, eth, say } = await twoMarkets()
  say('l2Book', book('BTC', '96990', '97010'))
  say('l2Book', book('ETH', '2999', '3001'))
  btc.book.nSigFigs = 2
  flushSync()
  assert.equal(btc.book.isKnown, false, 'the grouped ladder is not told yet')
  assert.deepEqual([btc.book.mid, eth.book.ladder.bids[0]?.text], [97000, '2999'])
})

test('a market that is not listed gives way to the first one', async () => {
  const { node, open } = testNode({ metaAndAssetCtxs: marketsAnswer({ SOL: '190' }) })
  const listing = new Listing(node)
  const market = new Market(node, listing, 'GONE')
  for (const part of [node, listing, market]) part.start()
  flushSync()
  open()
  await vi.waitFor(() => assert.equal(listing.all.length, 1))
  flushSync()
  assert.equal(market.coin, 'SOL')
})
