import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liquidationPx, sweep } from '../src/lib/estimate.ts'

test('a sweep pays level by level and stops at the limit', () => {
  const asks = [{ px: 100, sz: 1 }, { px: 101, sz: 2 }, { px: 110, sz: 5 }]
  assert.deepEqual(sweep(asks, 2, null, true), { averagePx: 100.5, worstPx: 101, filled: 2 })
  assert.deepEqual(sweep(asks, 9, 101, true), { averagePx: 302 / 3, worstPx: 101, filled: 3 })
  assert.equal(sweep(asks, 1, 99, true), null)
})

// By hand: long 1 at mark 100, equity 10, 50x -> maintenance rate 0.01. Equity at p is 10 + (p - 100) and must equal
// 0.01 p: p = 90 / 0.99. Short: 10 - (p - 100) = 0.01 p: p = 110 / 1.01.
test('the liquidation price is where equity meets maintenance', () => {
  const base = { markPx: 100, accountValue: 10, otherMaintenance: 0, maxLeverage: 50 }
  assert.ok(Math.abs(liquidationPx({ ...base, size: 1 })! - 90 / 0.99) < 1e-9)
  assert.ok(Math.abs(liquidationPx({ ...base, size: -1 })! - 110 / 1.01) < 1e-9)
  assert.equal(liquidationPx({ ...base, size: 0 }), null)
  assert.equal(liquidationPx({ ...base, accountValue: 1000, size: 1 }), null)
})
