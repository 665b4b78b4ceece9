// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { PAGES } from '../src/app/pages.ts'
import { addressOf, ENTRIES, routeOf, titleOf } from '../src/app/routes.svelte.ts'
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
  }
  for (const hash of ['#/foo', '#/trade/BTC', '#/explorer/1']) assert.equal(routeOf(hash).needs, null, hash)
  assert.match(routeOf('#/block/-1').needs!.en, /number or its hash/)
  assert.match(routeOf('#/order/1').needs!.en, /its account and its number/)
})

test('a link of the header is marked for its page and for those that belong to it', () => {
  assert.deepEqual(ENTRIES.map(addressOf), ['#/', '#/explorer'])
  const under = (hash: string): string | undefined => routeOf(hash).page?.under
  for (const hash of ['#/explorer', '#/block/1', '#/batch/1', `#/tx/${HASH}`, `#/account/${ADDRESS}`, '#/proof']) assert.equal(under(hash), 'explorer', hash)
  assert.deepEqual([under('#/'), under('#/kit'), under('#/foo')], ['trade', undefined, undefined])
  for (const { name, under } of PAGES) assert.ok(under === undefined || ENTRIES.some((entry) => entry.name === under), name)
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
