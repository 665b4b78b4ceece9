// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { routeOf, titleOf } from '../src/app/routes.svelte.ts'
import { Listing } from '../src/market/listing.svelte.ts'
import { Market } from '../src/market/market.svelte.ts'
import { testNode } from './node.ts'

const ADDRESS = `0x${'ab'.repeat(20)}`
const HASH = `0x${'cd'.repeat(32)}`

test('an address is the page that it names, with what stands behind the name', () => {
  const page = (hash: string): unknown => [routeOf(hash).page?.name, routeOf(hash).argument]
  for (const hash of ['', '#', '#/', '#/trade']) assert.deepEqual(page(hash), ['trade', ''])
  assert.deepEqual(page('#/block/latest'), ['block', 'latest'])
  assert.deepEqual(page(`#/order/${ADDRESS}/12`), ['order', `${ADDRESS}/12`])
  assert.deepEqual(page('#/explorer'), ['explorer', ''])
})

test('an address that leads nowhere is no page, and says why', () => {
  for (const hash of ['#/foo', '#/trade/BTC', '#/explorer/1', '#/block/-1', '#/tx/0x12', `#/account/${HASH}`, '#/order/1']) {
    assert.equal(routeOf(hash).page, null, hash)
    assert.ok(routeOf(hash).problem.length > 10, hash)
  }
})

test('each page has a title of its own', () => {
  const { node } = testNode()
  const market = new Market(node, new Listing(node), 'BTC')
  const title = (hash: string): string => titleOf(routeOf(hash), market)
  assert.equal(title('#/explorer'), 'Explorer · Coinone')
  assert.equal(title('#/block/12'), 'Block 12 · Coinone')
  assert.equal(title(`#/tx/${HASH}`), 'Transaction 0xcdcd…cdcd · Coinone')
  assert.equal(title('#/nowhere'), 'Nothing here · Coinone')
})
