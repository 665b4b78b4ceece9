import assert from 'node:assert/strict'
import { test } from 'vitest'
import { inTheWay, isRemoved, takerFeePx } from '../src/core/postonly.ts'

// The example of docs/protocol/matching.md: asks for 0.03 at 50,000 and 0.0325 at 50,100.
test('a sixteenth of a post-only order may be in its way, and no more', () => {
  const asks = [{ px: 50_000, sz: 0.03 }, { px: 50_100, sz: 0.0325 }]
  const bid = { isBuy: true, px: 50_200, sz: 1 }
  assert.equal(isRemoved(bid, asks), false) // 0.0625 = 1 / 16
  assert.equal(isRemoved({ ...bid, sz: 0.9 }, asks), true) // 0.05625
  assert.equal(isRemoved({ ...bid, sz: 0.9, px: 50_050 }, asks), false) // only 0.03 in the way
})

test('what it would trade with is in its way, at any price', () => {
  assert.equal(inTheWay({ isBuy: true, px: 191, sz: 1 }, [{ px: 189, sz: 5 }, { px: 190, sz: 2 }, { px: 192, sz: 1 }]), 7)
  assert.equal(inTheWay({ isBuy: false, px: 189, sz: 1 }, [{ px: 191, sz: 5 }, { px: 190, sz: 2 }, { px: 188, sz: 1 }]), 7)
})

test('a taker’s fee is possible at the middle of the book and worse only', () => {
  const order = { sz: 1 }
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 189.99 }, 190), null)
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 190 }, 190), 190)
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 191 }, 190), 191)
  assert.equal(takerFeePx({ ...order, isBuy: false, px: 190.01 }, 190), null)
  assert.equal(takerFeePx({ ...order, isBuy: false, px: 189 }, 190), 190) // it meets at 189 or better, worse than the middle below 190
})
