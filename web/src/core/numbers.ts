// Decimal strings on the wire, numbers on the screen.
//
// What is signed is made from the text the trader typed or from integers, never by printing a float: `wire` is the one
// way out. Floats serve display and estimates only. The tick rule is Hyperliquid's: a price has at most five
// significant digits (whole prices always pass) and at most 6 - szDecimals decimals; a size has szDecimals.

import { language } from '../i18n/locale.svelte.ts'

const PLAIN = /^\d+(\.\d+)?$/
export const MAX_PX_DECIMALS = 6

/** Canonical wire form of a plain decimal: no sign, no leading or trailing zeros. */
export function wire(text: string): string {
  if (!PLAIN.test(text)) throw new RangeError(`"${text}" is not a plain decimal number`)
  const [whole = '0', fraction = ''] = text.split('.')
  const head = whole.replace(/^0+(?=\d)/, '')
  const tail = fraction.replace(/0+$/, '')
  return tail ? `${head}.${tail}` : head
}

/** A signed decimal of the node without needless zeros, for display: "-2.0" is "-2". */
export function trim(text: string): string {
  return text.startsWith('-') ? `-${wire(text.slice(1))}` : wire(text)
}

export function decimals(text: string): number {
  return wire(text).split('.')[1]?.length ?? 0
}

/** Integer count of 10^-places units; refuses digits that would be lost. */
export function toUnits(text: string, places: number): bigint {
  const [whole = '0', fraction = ''] = wire(text).split('.')
  if (fraction.length > places) throw new RangeError(`"${text}" has more than ${places} decimals`)
  return BigInt(whole + fraction.padEnd(places, '0'))
}

export function fromUnits(units: bigint, places: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const tail = digits.slice(digits.length - places).replace(/0+$/, '')
  return sign + (tail ? `${whole}.${tail}` : whole)
}

export function isValidPx(text: string, szDecimals: number): boolean {
  if (!PLAIN.test(text)) return false
  const px = wire(text)
  if (px === '0') return false
  if (!px.includes('.')) return true
  return decimals(px) <= MAX_PX_DECIMALS - szDecimals && px.replace('.', '').replace(/^0+/, '').length <= 5
}

export function isValidSz(text: string, szDecimals: number): boolean {
  return PLAIN.test(text) && wire(text) !== '0' && decimals(text) <= szDecimals
}

/** Decimals that the tick rule leaves at this price. */
export function pxDecimals(px: number, szDecimals: number): number {
  if (!(px > 0)) return MAX_PX_DECIMALS - szDecimals
  const magnitude = Math.floor(Math.log10(px)) + 1
  return Math.max(0, Math.min(MAX_PX_DECIMALS - szDecimals, 5 - magnitude))
}

/** Nearest valid price as wire text; 'up' and 'down' pick the side. */
export function roundPx(px: number, szDecimals: number, way: 'near' | 'up' | 'down' = 'near'): string {
  const places = pxDecimals(px, szDecimals)
  const scaled = px * 10 ** places
  const whole = way === 'up' ? Math.ceil(scaled - 1e-9) : way === 'down' ? Math.floor(scaled + 1e-9) : Math.round(scaled)
  return wire((whole / 10 ** places).toFixed(places))
}

/** So many digits of a float are its own; those behind them come from rounding. */
const FLOAT_DIGITS = 15

/** Largest valid size that is not above `sz`, an estimate: cut from its digits. */
export function floorSz(sz: number, szDecimals: number): string {
  if (!(sz >= 1e-6 && sz < 10 ** FLOAT_DIGITS)) return '0' // toPrecision writes the others with an exponent
  const [whole = '0', fraction = ''] = sz.toPrecision(FLOAT_DIGITS).split('.')
  return szDecimals > 0 ? wire(`${whole}.${fraction.slice(0, szDecimals).padEnd(1, '0')}`) : wire(whole)
}

export function tick(px: number, szDecimals: number): number {
  return 10 ** -pxDecimals(px, szDecimals)
}

const formatters = new Map<string, Intl.NumberFormat>()

function formatter(min: number, max: number, extra: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const { tag } = language()
  const key = `${tag}/${min}/${max}/${extra.notation ?? ''}/${extra.signDisplay ?? ''}`
  let found = formatters.get(key)
  if (!found) {
    found = new Intl.NumberFormat(tag, { minimumFractionDigits: min, maximumFractionDigits: max, ...extra })
    formatters.set(key, found)
  }
  return found
}

export const DASH = '–'

export function fmt(value: number | string | null | undefined, min = 2, max = min): string {
  const n = num(value)
  return n === null ? DASH : formatter(min, max).format(n === 0 ? 0 : n)
}

export function fmtPx(value: number | string | null | undefined, szDecimals: number): string {
  const n = num(value)
  return n === null ? DASH : fmt(n, pxDecimals(n, szDecimals))
}

export function fmtSigned(value: number | string | null | undefined, places = 2): string {
  const n = num(value)
  return n === null ? DASH : formatter(places, places, { signDisplay: 'exceptZero' }).format(n)
}

export function fmtPercent(ratio: number | null | undefined, places = 2, signed = true): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return DASH
  return (signed ? fmtSigned(ratio * 100, places) : fmt(ratio * 100, places)) + '%'
}

export function fmtCompact(value: number | string | null | undefined): string {
  const n = num(value)
  if (n === null) return DASH
  return Math.abs(n) < 100_000 ? fmt(n, 0, 2) : formatter(0, 2, { notation: 'compact' }).format(n)
}

export function num(value: number | string | null | undefined): number | null {
  if (value === null || value === undefined || value === '') return null
  const n = Number(value)
  return Number.isFinite(n) ? n : null
}
