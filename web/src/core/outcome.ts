// What became of an order, told from the node's answer or, where that was lost, from the chain itself.
//
// The world has three outcomes where an answer has two: done, refused, and not known. An order carries an id of the
// page's own choice (cloid) and a last moment (expiresAfter), so what is not known can always be asked, and is decided
// once the chain's time has passed that moment.

import { fromUnits, toUnits } from './numbers.ts'
import type { Fill, FoundOrder, OrderStatus } from './shapes.ts'

const SIZE_PLACES = 8 // more than any market's sizes have

export interface Outcome {
  filled: number
  averagePx: number | null
  isResting: boolean
  /** The chain's own words, where it refused. */
  error: string | null
  /** The trades that are counted, as far as they are known one by one. */
  tids: readonly number[]
}

/** 128 random bits: nobody can foresee the id or make it collide. */
export function newCloid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** The outcome that an answer tells; null where it leaves open how much was filled. */
export function outcomeOf(status: OrderStatus): Outcome | null {
  if (typeof status === 'string') return null
  if ('error' in status) return { filled: 0, averagePx: null, isResting: false, error: status.error, tids: [] }
  if ('filled' in status) {
    const { totalSz, avgPx } = status.filled
    return { filled: Number(totalSz), averagePx: Number(avgPx), isResting: false, error: null, tids: [] }
  }
  return null // an order that rests may have traded before it rested
}

/** Whether nothing of the order has traded. */
export function isUntraded({ order }: FoundOrder): boolean {
  return toUnits(order.origSz, SIZE_PLACES) === toUnits(order.sz, SIZE_PLACES)
}

/** The outcome that orderStatus tells; the average price is from the account's fills, if they are at hand. */
export function outcomeFound({ order, status }: FoundOrder, fills: readonly Fill[]): Outcome {
  const filled = Number(fromUnits(toUnits(order.origSz, SIZE_PLACES) - toUnits(order.sz, SIZE_PLACES), SIZE_PLACES))
  const own = fills.filter(({ oid }) => oid === order.oid)
  const size = own.reduce((sum, fill) => sum + Number(fill.sz), 0)
  const paid = own.reduce((sum, fill) => sum + Number(fill.sz) * Number(fill.px), 0)
  return { filled, averagePx: size > 0 ? paid / size : null, isResting: status === 'open', error: null, tids: own.map(({ tid }) => tid) }
}

/**
 * Which fills of resting orders are news. A new order may rest and trade before its outcome is told, and the outcome
 * counts those trades: while orders are being placed all fills wait, and those that were counted are not told again.
 */
export class MakerFills {
  #placing = 0
  #waiting: Fill[] = []
  readonly #counted = new Set<number>()

  begin(): void {
    this.#placing += 1
  }

  count({ tids }: Outcome): void {
    for (const tid of tids) this.#counted.add(tid)
  }

  /** After the outcomes have been counted; returns what has become news. */
  end(): Fill[] {
    this.#placing -= 1
    return this.news([])
  }

  news(fills: readonly Fill[]): Fill[] {
    this.#waiting.push(...fills)
    if (this.#placing > 0) return []
    const found = this.#waiting.filter(({ tid }) => !this.#counted.has(tid))
    this.#waiting = []
    return found
  }
}
