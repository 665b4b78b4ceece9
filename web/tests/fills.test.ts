import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forced } from '../src/lib/fills.ts'
import type { Fill } from '../src/net/shapes.ts'

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
