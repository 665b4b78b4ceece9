import assert from 'node:assert/strict'
import { test } from 'vitest'
import { NO_HASH, forced, isMeeting } from '../src/core/fills.ts'
import type { Fill } from '../src/core/shapes.ts'

const liquidation = { liquidatedUser: '0x12', markPx: '150.0', method: 'market' }

test('a close that nobody ordered is named, on both sides of a deleveraging', () => {
  assert.equal(forced({ dir: 'Auto-Deleveraging', crossed: false, oid: 0 } as Fill), 'Deleveraged')
  assert.equal(forced({ dir: 'Auto-Deleveraging', crossed: true, oid: 0 } as Fill), 'Deleveraged')
  assert.equal(forced({ dir: 'Close Long', crossed: true, oid: 7, liquidation } as unknown as Fill), 'Liquidated')
})

test('the trade of an order is none, also with somebody who is liquidated', () => {
  assert.equal(forced({ dir: 'Open Long', crossed: false, oid: 7, liquidation } as unknown as Fill), null)
  assert.equal(forced({ dir: 'Close Long', crossed: true, oid: 7 } as Fill), null)
})

test('a trade of two resting orders is told from those of takers, liquidations and deleveragings', () => {
  const met = { dir: 'Open Long', crossed: false, hash: NO_HASH }
  assert.equal(isMeeting(met), true)
  assert.equal(isMeeting({ ...met, hash: `0x${'12'.repeat(32)}` }), false)
  assert.equal(isMeeting({ ...met, liquidation }), false)
  assert.equal(isMeeting({ ...met, crossed: true }), false)
  assert.equal(isMeeting({ ...met, dir: 'Auto-Deleveraging' }), false)
})
