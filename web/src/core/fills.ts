// Fills that no order and no transaction of a trader caused: the exchange closes the positions of who is liquidated, and
// those of winners against debts that nobody else can pay. Such a fill has order 0 or no transaction to lead to.

import type { Fill } from './shapes.ts'

export const NO_HASH = `0x${'0'.repeat(64)}`

/** What happened to the fill's owner; null for a trade of an order of theirs, also one with somebody who is liquidated. */
export function forced(fill: Fill): 'Deleveraged' | 'Liquidated' | null {
  if (fill.dir === 'Auto-Deleveraging') return 'Deleveraged'
  return fill.crossed && fill.liquidation ? 'Liquidated' : null
}

/** Whether two resting orders made the trade, at the end of a batch: it has no transaction, and nobody was the taker. */
export function isMeeting(fill: Pick<Fill, 'hash' | 'crossed' | 'dir' | 'liquidation'>): boolean {
  return fill.hash === NO_HASH && !fill.crossed && fill.liquidation === undefined && fill.dir !== 'Auto-Deleveraging'
}
