import assert from 'node:assert/strict'
import { test } from 'vitest'
import { inTheWay, isKeptOut, takerFeePx } from '../src/core/postonly.ts'

// The example of docs/protocol/matching.md: mark 50,000, asks for 0.03 at 50,000 and 0.0325 at 50,100.
test('a sixteenth of a post-only order may be in its way, and no more', () => {
  const asks = [{ px: 50_000, sz: 0.03 }, { px: 50_100, sz: 0.0325 }]
  const bid = { isBuy: true, markPx: 50_000, px: 50_200, sz: 1 }
  assert.equal(isKeptOut(bid, asks), false) // 0.0625 = 1 / 16
  assert.equal(isKeptOut({ ...bid, sz: 0.9 }, asks), true) // 0.05625
  assert.equal(isKeptOut({ ...bid, sz: 0.9, px: 50_050 }, asks), false) // only 0.03 in the way
})

test('what rests at a loss to its owner is in nobody’s way', () => {
  assert.equal(inTheWay({ isBuy: true, px: 191, sz: 1, markPx: 190 }, [{ px: 189, sz: 5 }, { px: 190, sz: 2 }]), 2)
  assert.equal(inTheWay({ isBuy: false, px: 189, sz: 1, markPx: 190 }, [{ px: 191, sz: 5 }, { px: 190, sz: 2 }]), 2)
})

test('a taker’s fee is possible at the middle of the book and worse only', () => {
  const order = { sz: 1, markPx: 180 }
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 189.99 }, 190), null)
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 190 }, 190), 190)
  assert.equal(takerFeePx({ ...order, isBuy: true, px: 191 }, 190), 191)
  assert.equal(takerFeePx({ ...order, isBuy: false, px: 190.01 }, 190), null)
  assert.equal(takerFeePx({ ...order, isBuy: false, px: 189 }, 190), 190) // it meets at 189 or better, worse than the middle below 190
})
