import assert from 'node:assert/strict'
import { test } from 'vitest'
import { MakerFills, newCloid, outcomeFound, outcomeOf } from '../src/core/outcome.ts'
import type { Fill, OpenOrder } from '../src/core/shapes.ts'

// Answers as a node gave them: an order for 5 that may not rest met one of 1; one for 3 met 1 and rests with 2.
const order = { coin: 'SOL', side: 'B', limitPx: '195.7', oid: 4, timestamp: 0, cloid: null } as unknown as OpenOrder & { cloid: null }
const fills = [{ oid: 4, tid: 21, px: '191.9', sz: '1.0' }, { oid: 3, tid: 20, px: '190.0', sz: '7.0' }] as Fill[]

test('what is left of an order tells how much was filled', () => {
  const cancelled = { order: { ...order, origSz: '5.0', sz: '4.0' }, status: 'canceled' }
  assert.deepEqual(outcomeFound(cancelled, fills), { filled: 1, averagePx: 191.9, isResting: false, error: null, tids: [21] })
  const open = { order: { ...order, origSz: '3.0', sz: '2.0' }, status: 'open' }
  assert.deepEqual(outcomeFound(open, []), { filled: 1, averagePx: null, isResting: true, error: null, tids: [] })
})

test('an answer that the order rests leaves open what was filled before', () => {
  assert.equal(outcomeOf({ resting: { oid: 2 } }), null)
  assert.equal(outcomeOf('waitingForFill'), null)
  assert.equal(outcomeOf({ filled: { oid: 4, totalSz: '1', avgPx: '191.9' } })!.filled, 1)
  assert.equal(outcomeOf({ error: 'no' })!.error, 'no')
})

test('a trade that an outcome counts is not told again as that of a resting order', () => {
  const makerFills = new MakerFills()
  assert.deepEqual(makerFills.news([fills[1]!]), [fills[1]])
  makerFills.begin()
  assert.deepEqual(makerFills.news(fills), []) // nobody knows yet whose they are
  makerFills.count({ filled: 1, averagePx: 191.9, isResting: true, error: null, tids: [21] })
  assert.deepEqual(makerFills.end(), [fills[1]])
  assert.deepEqual(makerFills.news([fills[0]!]), []) // the stream may come later than the outcome
})

test('client ids are 16 bytes in hex', () => {
  assert.match(newCloid(), /^0x[0-9a-f]{32}$/)
  assert.notEqual(newCloid(), newCloid())
})
