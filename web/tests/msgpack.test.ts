import assert from 'node:assert/strict'
import { test } from 'vitest'
import { encode } from '../src/core/msgpack.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// Expected bytes are from the MessagePack specification (formats table), by hand.
test('integers take the shortest form', () => {
  const cases: [number | bigint, string][] = [
    [0, '00'], [127, '7f'], [128, 'cc80'], [255, 'ccff'], [256, 'cd0100'], [65535, 'cdffff'], [65536, 'ce00010000'],
    [4294967295, 'ceffffffff'], [4294967296, 'cf0000000100000000'], [18446744073709551615n, 'cfffffffffffffffff'],
    [-1, 'ff'], [-32, 'e0'], [-33, 'd0df'], [-128, 'd080'], [-129, 'd1ff7f'], [-32769, 'd2ffff7fff'],
    [-2147483649, 'd3ffffffff7fffffff'],
  ]
  for (const [value, want] of cases) assert.equal(hex(encode(value)), want, String(value))
})

test('text, lists and maps change form at their limits', () => {
  assert.equal(hex(encode('a'.repeat(31))).slice(0, 2), 'bf')
  assert.equal(hex(encode('a'.repeat(32))).slice(0, 4), 'd920')
  assert.equal(hex(encode('a'.repeat(256))).slice(0, 6), 'da0100')
  assert.equal(hex(encode(Array<number>(15).fill(0))).slice(0, 2), '9f')
  assert.equal(hex(encode(Array<number>(16).fill(0))).slice(0, 6), 'dc0010')
  assert.equal(hex(encode({ b: true, a: null })), '82a162c3a161c0')
  assert.equal(hex(encode('é')), 'a2c3a9')
})

test('what has no single meaning is refused', () => {
  for (const bad of [0.5, NaN, Infinity, 2 ** 53, 1n << 64n, -(1n << 63n) - 1n]) assert.throws(() => encode(bad))
  assert.throws(() => encode({ a: undefined } as never))
})
