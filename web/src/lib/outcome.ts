// What became of an order, told from the node's answer or, where that was lost, from the chain itself.
//
// The world has three outcomes where an answer has two: done, refused, and not known. An order carries an id of the
// page's own choice (cloid) and a last moment (expiresAfter), so what is not known can always be asked, and is decided
// once the chain's time has passed that moment.

import { fromUnits, toUnits } from './numbers.ts'
import type { OrderStatus } from '../net/http.ts'
import type { Fill, FoundOrder } from '../net/shapes.ts'

const SIZE_PLACES = 8 // more than any market's sizes have

export interface Outcome {
  filled: number
  averagePx: number | null
  isResting: boolean
  /** The chain's own words, where it refused. */
  error: string | null
}

/** 128 random bits: nobody can foresee the id or make it collide. */
export function newCloid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** The outcome that an answer tells; null where it leaves open how much was filled. */
export function outcomeOf(status: OrderStatus): Outcome | null {
  if (typeof status === 'string') return null
  if ('error' in status) return { filled: 0, averagePx: null, isResting: false, error: status.error }
  if ('filled' in status) {
    const { totalSz, avgPx } = status.filled
    return { filled: Number(totalSz), averagePx: Number(avgPx), isResting: false, error: null }
  }
  return null // an order that rests may have traded before it rested
}

/** The outcome that orderStatus tells; the average price is from the account's fills, if they are at hand. */
export function outcomeFound({ order, status }: FoundOrder, fills: readonly Fill[]): Outcome {
  const filled = Number(fromUnits(toUnits(order.origSz, SIZE_PLACES) - toUnits(order.sz, SIZE_PLACES), SIZE_PLACES))
  const own = fills.filter(({ oid }) => oid === order.oid)
  const size = own.reduce((sum, fill) => sum + Number(fill.sz), 0)
  const paid = own.reduce((sum, fill) => sum + Number(fill.sz) * Number(fill.px), 0)
  return { filled, averagePx: size > 0 ? paid / size : null, isResting: status === 'open', error: null }
}
