// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { flushSync } from 'svelte'
import { beforeEach, test, vi } from 'vitest'
import { Account } from '../src/account/account.svelte.ts'
import { Listing } from '../src/market/listing.svelte.ts'
import { Market } from '../src/market/market.svelte.ts'
import { Ticket } from '../src/trade/ticket.svelte.ts'
import { book, marketsAnswer, testNode, type TestNode } from './node.ts'

let ticket: Ticket
let market: Market
let other: TestNode

beforeEach(async () => {
  other = testNode({ metaAndAssetCtxs: marketsAnswer({ BTC: '100', ETH: '50' }) })
  const { node } = other
  const listing = new Listing(node)
  market = new Market(node, listing, 'BTC')
  const account = new Account(node, listing)
  for (const part of [node, listing, market, account]) part.start()
  flushSync()
  other.open()
  await vi.waitFor(() => assert.equal(listing.all.length, 2))
  other.say('l2Book', book('BTC', '99', '101'))
  ticket = new Ticket(node, market, account)
})

test('the order is what the fields hold, to the digit', () => {
  ticket.px = '99.5'
  ticket.setAmount('1.20')
  assert.equal(ticket.problem, null)
  assert.deepEqual(ticket.request(), { asset: 0, isBuy: true, px: '99.5', sz: '1.2', reduceOnly: false, tif: 'Gtc', szDecimals: 3 })
})

test('what cannot be sent says why', () => {
  ticket.setAmount('1')
  const problem = (px: string, amount: string): string | null => {
    ticket.px = px
    ticket.amount = amount
    return ticket.problem
  }
  assert.match(problem('', '1')!, /price/i)
  assert.match(problem('99', '')!, /size/i)
  assert.match(problem('99', '0.0001')!, /decimals/)
  assert.match(problem('99', '0.1')!, /10 USDC/)
  assert.match(problem('99', '1,234')!, /1234/)
})

test('a market order has a limit 5% through the best price, not through the mark', () => {
  ticket.kind = 'market'
  ticket.setAmount('1')
  assert.equal(ticket.limitPx, '106.05') // 101 and 5%
  ticket.isBuy = false
  assert.equal(ticket.limitPx, '94.05') // 99 less 5%
})

test('the middle is on the own side, so it does not trade at once', () => {
  other.say('l2Book', book('BTC', '100.01', '100.02'))
  ticket.takeMid()
  assert.equal(ticket.px, '100.01')
  ticket.isBuy = false
  ticket.takeMid()
  assert.equal(ticket.px, '100.02')
})

test('two tickets of one page stand before two markets', () => {
  const { node } = other
  const eth = new Market(node, market.listing, 'ETH')
  eth.start()
  flushSync()
  other.say('l2Book', book('ETH', '49', '51'))
  const second = new Ticket(node, eth, new Account(node, market.listing))
  second.takeBest()
  ticket.takeBest()
  assert.deepEqual([ticket.px, second.px], ['99', '49'])
})
