// What becomes of a post-only order, as far as the visible book tells. It rests over all that it crosses until takers are
// through; then earlier orders of more than a 16th of it remove it. What else still crosses meets at the older one's price,
// and who trades there at a price worse than the middle of the last batch's book pays the taker's fee, at the middle the
// newer one. In a book with one side the mark is it.

import type { Level } from './estimate.ts'

/** So many times what is in its way a post-only order must be, or it is removed. */
const WAY_PARTS = 16
const SLACK = 1e-9 // of floats: sizes are whole lots

export interface PostOnly {
  isBuy: boolean
  px: number
  /** What can be filled of it: of a reduce-only order at most the position. */
  sz: number
}

/** How much it would trade with of what rests. */
export function inTheWay({ isBuy, px }: PostOnly, opposite: readonly Level[]): number {
  const isInTheWay = (level: Level): boolean => (isBuy ? level.px <= px : level.px >= px)
  return opposite.filter(isInTheWay).reduce((sum, level) => sum + level.sz, 0)
}

export function isRemoved(order: PostOnly, opposite: readonly Level[]): boolean {
  return inTheWay(order, opposite) * WAY_PARTS > order.sz + SLACK
}

/** The price of the dearest meeting that costs it the taker's fee; null where its limit is better than the middle. */
export function takerFeePx({ isBuy, px }: PostOnly, middle: number): number | null {
  if (isBuy ? px < middle : px > middle) return null
  return Math.max(px, middle)
}
