import assert from 'node:assert/strict'
import { test } from 'vitest'
import { floorSz, fromUnits, isValidPx, isValidSz, roundPx, toUnits, wire } from '../src/core/numbers.ts'

test('wire text has no needless zeros and refuses everything that is not a plain decimal', () => {
  assert.equal(wire('00100.2500'), '100.25')
  assert.equal(wire('0.0'), '0')
  for (const bad of ['', '-1', '+1', '1e3', '.5', '5.', ' 1', '１', '1,000', 'NaN', '0x1']) assert.throws(() => wire(bad), bad)
})

test('units are exact both ways', () => {
  assert.equal(toUnits('1234.567891', 6), 1234567891n)
  assert.equal(fromUnits(-1234567890n, 6), '-1234.56789')
  assert.throws(() => toUnits('0.0000001', 6))
})

// Examples from Hyperliquid's page "Tick and lot size": 1234.5 is valid and 1234.56 is not (6 significant digits);
// 0.001234 is valid and 0.0012345 is not when szDecimals is 0; 0.01234 needs szDecimals 0 or 1; whole prices always pass.
test('the tick rule is the field\'s', () => {
  assert.ok(isValidPx('1234.5', 1) && !isValidPx('1234.56', 1))
  assert.ok(isValidPx('0.001234', 0) && !isValidPx('0.0012345', 0))
  assert.ok(isValidPx('0.01234', 1) && !isValidPx('0.012345', 1))
  assert.ok(isValidPx('123456', 5) && !isValidPx('0', 0))
  assert.ok(isValidSz('1.001', 3) && !isValidSz('1.0001', 3) && !isValidSz('0', 3))
})

test('rounding gives valid prices on the asked side', () => {
  assert.equal(roundPx(64123.46, 5), '64123')
  assert.equal(roundPx(64123.01, 5, 'up'), '64124')
  assert.equal(roundPx(3456.789, 4, 'down'), '3456.7')
  assert.equal(roundPx(3456.7, 4, 'down'), '3456.7')
  assert.equal(roundPx(99999.9, 2), '100000')
  assert.equal(floorSz(0.123459, 5), '0.12345')
  assert.equal(floorSz(-1, 5), '0')
})

test('a size is cut from digits: no float takes its last lot away', () => {
  assert.equal(floorSz(2048.9365, 4), '2048.9365') // times 10,000 in floats: 20489364.999999996
  assert.equal(floorSz(20.489365 * 100, 4), '2048.9365')
  assert.equal(floorSz(0.00001, 5), '0.00001')
  assert.equal(floorSz(1e-7, 6), '0')
  assert.equal(floorSz(99.99, 0), '99')
  assert.equal(floorSz(123456789012345, 2), '123456789012345')
  assert.equal(floorSz(Infinity, 2), '0')
  for (let lots = 20_480_000; lots < 20_500_000; lots += 7) assert.equal(floorSz(lots / 10_000, 4), fromUnits(BigInt(lots), 4))
})
