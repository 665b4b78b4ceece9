import assert from 'node:assert/strict'
import { test } from 'vitest'
import { liquidationPx, sweep, worstAverage } from '../src/core/estimate.ts'

test('a sweep pays level by level and stops at the limit', () => {
  const asks = [{ px: 100, sz: 1 }, { px: 101, sz: 2 }, { px: 110, sz: 5 }]
  assert.deepEqual(sweep(asks, 2, null, true), { averagePx: 100.5, worstPx: 101, filled: 2, ranOut: false })
  assert.deepEqual(sweep(asks, 9, 101, true), { averagePx: 302 / 3, worstPx: 101, filled: 3, ranOut: false })
  assert.equal(sweep(asks, 1, 99, true), null)
})

// By hand: 3 known levels hold 8 at (100 + 2 * 101 + 5 * 110) / 8 = 106.5; two more at the limit of 120 at worst make
// (8 * 106.5 + 2 * 120) / 10 = 109.2.
test('what lies beyond the known levels counts at the limit', () => {
  const asks = [{ px: 100, sz: 1 }, { px: 101, sz: 2 }, { px: 110, sz: 5 }]
  const swept = sweep(asks, 10, 120, true)!
  assert.deepEqual(swept, { averagePx: 106.5, worstPx: 110, filled: 8, ranOut: true })
  assert.ok(Math.abs(worstAverage(swept, 10, 120) - 109.2) < 1e-9)
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
