// MessagePack, only as much as a signed action needs, and only in one way.
//
// The chain hashes the bytes that the client signed, so the encoding must be the one every Hyperliquid client uses:
// integers in the shortest form, maps in insertion order, text as UTF-8. Floats and undefined are refused: a price is
// a decimal string, and a missing field is a missing key.

export type Packable = string | number | bigint | boolean | null | readonly Packable[] | { readonly [key: string]: Packable }

export function encode(value: Packable): Uint8Array {
  const out: number[] = []
  write(out, value)
  return Uint8Array.from(out)
}

function write(out: number[], value: Packable): void {
  if (value === null) out.push(0xc0)
  else if (typeof value === 'boolean') out.push(value ? 0xc3 : 0xc2)
  else if (typeof value === 'string') writeText(out, value)
  else if (typeof value === 'number' || typeof value === 'bigint') writeInteger(out, value)
  else if (Array.isArray(value)) {
    writeHead(out, value.length, 0x90, 0xdc)
    for (const item of value) write(out, item)
  } else if (typeof value === 'object') {
    const entries = Object.entries(value as { readonly [key: string]: Packable })
    writeHead(out, entries.length, 0x80, 0xde)
    for (const [key, item] of entries) {
      writeText(out, key)
      write(out, item)
    }
  } else throw new TypeError(`msgpack: ${typeof value} has no encoding`)
}

function writeInteger(out: number[], value: number | bigint): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`msgpack: ${value} is no safe integer`)
  const n = BigInt(value)
  if (n >= 0n) {
    if (n < 0x80n) out.push(Number(n))
    else if (n < 0x100n) out.push(0xcc, Number(n))
    else if (n < 0x10000n) big(out, 0xcd, n, 2)
    else if (n < 0x100000000n) big(out, 0xce, n, 4)
    else if (n < 1n << 64n) big(out, 0xcf, n, 8)
    else throw new RangeError('msgpack: integer above 64 bits')
  } else if (n >= -32n) out.push(Number(n + 256n))
  else if (n >= -0x80n) big(out, 0xd0, n, 1)
  else if (n >= -0x8000n) big(out, 0xd1, n, 2)
  else if (n >= -0x80000000n) big(out, 0xd2, n, 4)
  else if (n >= -(1n << 63n)) big(out, 0xd3, n, 8)
  else throw new RangeError('msgpack: integer below 64 bits')
}

function big(out: number[], tag: number, value: bigint, bytes: number): void {
  const unsigned = BigInt.asUintN(bytes * 8, value)
  out.push(tag)
  for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push(Number((unsigned >> BigInt(shift)) & 0xffn))
}

function writeText(out: number[], text: string): void {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length < 32) out.push(0xa0 | bytes.length)
  else if (bytes.length < 0x100) out.push(0xd9, bytes.length)
  else if (bytes.length < 0x10000) big(out, 0xda, BigInt(bytes.length), 2)
  else throw new RangeError('msgpack: text above 64 KiB')
  for (const byte of bytes) out.push(byte)
}

function writeHead(out: number[], length: number, fix: number, wide: number): void {
  if (length < 16) out.push(fix | length)
  else if (length < 0x10000) big(out, wide, BigInt(length), 2)
  else throw new RangeError('msgpack: more than 65535 items')
}
