// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { flushSync } from 'svelte'
import { test, vi } from 'vitest'
import { Account } from '../src/account/account.svelte.ts'
import type { ClearinghouseState, Fill } from '../src/core/shapes.ts'
import { Listing } from '../src/market/listing.svelte.ts'
import { marketsAnswer, testNode } from './node.ts'

const [ANN, BOB] = [`0x${'a'.repeat(40)}`, `0x${'b'.repeat(40)}`]

/** One long position of 2 BTC, entered at 100, told when the mark was 105. */
function summary(accountValue: string): ClearinghouseState {
  const position = {
    coin: 'BTC', szi: '2', entryPx: '100', leverage: { type: 'cross', value: 10 }, liquidationPx: null, marginUsed: '20',
    positionValue: '210', unrealizedPnl: '10', maxLeverage: 20, cumFunding: { sinceOpen: '0' },
  }
  const marginSummary = { accountValue, totalNtlPos: '210', totalRawUsd: '0', totalMarginUsed: '20' }
  return { assetPositions: [{ position }], marginSummary, crossMaintenanceMarginUsed: '5', withdrawable: '0', time: 1 }
}

async function twoAccounts() {
  const { node, open, say } = testNode({ metaAndAssetCtxs: marketsAnswer({ BTC: '110' }), userFees: { userCrossRate: '0', userAddRate: '0' } })
  const listing = new Listing(node)
  const [ann, bob] = [new Account(node, listing), new Account(node, listing)]
  for (const part of [node, listing, ann, bob]) part.start()
  ann.address = ANN
  bob.address = BOB
  flushSync()
  open()
  await vi.waitFor(() => assert.equal(listing.all.length, 1))
  return { ann, bob, say }
}

test('a page can show two accounts: what is told of one is not the other’s', async () => {
  const { ann, bob, say } = await twoAccounts()
  say('clearinghouseState', { user: ANN, clearinghouseState: summary('1000') })
  assert.deepEqual([ann.positions.length, bob.positions.length], [1, 0])
  assert.deepEqual([ann.knows('clearinghouseState'), bob.knows('clearinghouseState')], [true, false])
})

// By hand: 2 BTC from 100 to the mark of 110 are 20; the node counted 10 of them in the equity of 1,000.
test('equity and profit move with the mark after the node has told them', async () => {
  const { ann, say } = await twoAccounts()
  say('clearinghouseState', { user: ANN, clearinghouseState: summary('1000') })
  assert.deepEqual([ann.unrealisedPnl, ann.equity], [20, 1010])
})

test('who leaves takes along what was told', async () => {
  const { ann, say } = await twoAccounts()
  say('clearinghouseState', { user: ANN, clearinghouseState: summary('1000') })
  ann.address = BOB
  flushSync()
  assert.deepEqual([ann.summary, ann.positions.length, ann.knows('clearinghouseState')], [null, 0, false])
})

test('only fills of one’s own resting orders are news; a snapshot is none', async () => {
  const { ann, say } = await twoAccounts()
  const fill: Fill = { coin: 'BTC', px: '1', sz: '1', side: 'B', time: 1, dir: 'Open Long', closedPnl: '0', hash: '0x1', oid: 1, crossed: false, fee: '0', tid: 1 }
  const news: number[] = []
  ann.onMakerFills = (fills) => news.push(...fills.map(({ tid }) => tid))
  say('userFills', { user: ANN, isSnapshot: true, fills: [fill] })
  say('userFills', { user: ANN, isSnapshot: false, fills: [{ ...fill, tid: 2 }, { ...fill, tid: 3, crossed: true }] })
  assert.deepEqual(news, [2])
  assert.deepEqual(ann.fills.map(({ tid }) => tid).sort(), [1, 2, 3])
})
