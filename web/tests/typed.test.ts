import assert from 'node:assert/strict'
import { test } from 'vitest'
import { fmt } from '../src/core/numbers.ts'
import { read } from '../src/core/typed.ts'

test('numbers are read as the page writes them', () => {
  for (const [typed, text] of [
    ['1234.50', '1234.5'], ['1,234.50', '1234.5'], ['1,234,567', '1234567'], ['1,102.5', '1102.5'], ['12,345.', '12345'],
    ['1.234', '1.234'], ['.5', '0.5'], ['5.', '5'], [' 7 ', '7'], ['0', '0'],
  ] as const) assert.deepEqual(read(typed), { text, problem: null }, typed)
  for (const value of [0.25, 12.5, 1234.5, 1234567.25]) assert.equal(read(fmt(value)).text, String(value))
})

test('a comma is a decimal sign where it can be nothing else', () => {
  for (const [typed, text] of [['0,5', '0.5'], ['12,5', '12.5'], ['0,123', '0.123'], [',5', '0.5'], ['1,2345', '1.2345']] as const) {
    assert.deepEqual(read(typed), { text, problem: null }, typed)
  }
})

test('what can be read in two ways is no number, and both are named', () => {
  assert.deepEqual(read('1,234'), { text: null, problem: '1,234 can mean 1234 or 1.234: write one of them' })
  assert.equal(read('1234,567').text, null)
  assert.equal(read('1.000').problem, '1.000 can mean 1000 or 1: write one of them')
  assert.equal(read('12.500').problem, '12.500 can mean 12500 or 12.5: write one of them')
  for (const [typed, text] of [['0.100', '0.1'], ['1000.500', '1000.5'], ['1.0', '1'], ['1.00', '1'], ['1.2340', '1.234']] as const) {
    assert.equal(read(typed).text, text, 'no thousands')
  }
})

test('nothing is dropped to make a number', () => {
  for (const typed of ['', '10k', '1e3', '-1', '+1', '1.234,5', '1.2.3', '1,23,4', '1,23.4', '0,123.5', '12 5', '1’234', '0x10', '١', '5,', ',', '.', '$5']) {
    const { text, problem } = read(typed)
    assert.ok(text === null && problem, typed)
  }
})
