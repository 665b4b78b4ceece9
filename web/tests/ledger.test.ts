import assert from 'node:assert/strict'
import { test } from 'vitest'
import { ledgerTold, rowNames } from '../src/account/ledger.ts'

const ME = '0x' + '11'.repeat(20)
const OTHER = '0x' + '22'.repeat(20)
const row = (delta: object) => ({ time: 1, hash: '0x', delta: delta as { type: string } })

test('a transfer says which way it went and with whom', () => {
  const got = ledgerTold(row({ type: 'internalTransfer', usdc: '250.0', user: OTHER, destination: ME }), ME)
  assert.deepEqual([got.name, got.change, got.other], ['Received', 250, { way: 'from', address: OTHER }])
  const sent = ledgerTold(row({ type: 'internalTransfer', usdc: '250.0', user: ME, destination: OTHER }), ME.toUpperCase().replace('0X', '0x'))
  assert.deepEqual([sent.name, sent.change, sent.other], ['Sent', -250, { way: 'to', address: OTHER }])
})

test('amounts have the sign of what they did to the account, and what waits did nothing yet', () => {
  const change = (delta: object) => ledgerTold(row(delta), ME).change
  assert.equal(change({ type: 'deposit', usdc: '100.0' }), 100)
  assert.equal(change({ type: 'deposit', usdc: '5.0', unclaimed: true }), null)
  assert.equal(change({ type: 'withdraw', usdc: '100.0' }), -100)
  assert.equal(change({ type: 'accountActivationGas', amount: '1.0', token: 'USDC' }), -1)
  assert.equal(change({ type: 'debtLevy', usdc: '-5.0' }), -5)
  assert.equal(change({ type: 'debtCovered', usdc: '1500.0' }), 1500)
  assert.equal(change({ type: 'liquidationProceeds', usdc: '-7.0' }), -7)
  assert.equal(change({ type: 'dust', usdc: '0.4' }), null)
})

test('rows that say the very same are as many as they are, and the same ones again are no new ones', () => {
  const two = [row({ type: 'deposit', usdc: '100.0' }), row({ type: 'deposit', usdc: '100.0' })]
  assert.equal(new Set(rowNames(two)).size, 2)
  assert.equal(new Set([...rowNames(two), ...rowNames(two)]).size, 2)
})
