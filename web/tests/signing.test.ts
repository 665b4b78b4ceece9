import assert from 'node:assert/strict'
import { test } from 'vitest'
import { orderAction } from '../src/core/actions.ts'
import { actionHash, splitSignature } from '../src/core/signing.ts'

// From the signing tests of hyperliquid-python-sdk (MIT): ETH, buy 0.0147 at 1670.1, IOC, asset index 4.
test('the phantom agent of the published order has the published connectionId', () => {
  const action = orderAction([
    { asset: 4, isBuy: true, px: '1670.1', sz: '0.0147', reduceOnly: false, tif: 'Ioc', szDecimals: 4 },
  ])
  assert.equal(
    actionHash(action, 1677777606040),
    '0x0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908',
  )
})

test('a signature is split into r, s and v of 27 or 28', () => {
  const r = '11'.repeat(32)
  const s = '22'.repeat(32)
  assert.deepEqual(splitSignature(`0x${r}${s}00`), { r: `0x${r}`, s: `0x${s}`, v: 27 })
  assert.deepEqual(splitSignature(`0x${r}${s}1c`), { r: `0x${r}`, s: `0x${s}`, v: 28 })
  assert.throws(() => splitSignature('0x00'))
})
