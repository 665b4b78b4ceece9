// What the order being written would do, for the eye. The chain decides; where the page cannot see far enough, these are
// bounds and say so.

import { liquidationPx, sweep, worstAverage, type Level, type Sweep } from '../core/estimate.ts'
import { floorSz, fmtPx } from '../core/numbers.ts'
import { inTheWay, isKeptOut, takerFeePx, type PostOnly } from '../core/postonly.ts'
import { account } from '../account/account.svelte.ts'
import { book, LEVELS } from '../market/book.svelte.ts'
import { markets } from '../market/markets.svelte.ts'
import { ticket } from './ticket.svelte.ts'

class Estimates {
  /** What the order would take at once of the levels that are known. */
  get sweep(): Sweep | null {
    if (ticket.limitPx === null || ticket.isPostOnly) return null
    return sweep(this.#levels, Number(ticket.sizeText), Number(ticket.limitPx), ticket.isBuy)
  }

  get #levels(): readonly Level[] {
    return ticket.isBuy ? book.asks : book.bids
  }

  /** Whether the order goes beyond the levels that the node tells: then estimates are bounds. */
  get isBeyondSight(): boolean {
    return this.sweep?.ranOut === true && this.#levels.length >= LEVELS
  }

  /** What would be filled at once, as far as can be seen; the whole order if it goes beyond sight. */
  get #taken(): number {
    return this.isBeyondSight ? Number(ticket.sizeText) : (this.sweep?.filled ?? 0)
  }

  /** Average price of what is taken; the worst possible where it cannot be seen. */
  get #takenPx(): number {
    const swept = this.sweep
    if (swept === null || ticket.limitPx === null) return ticket.referencePx ?? 0
    return this.isBeyondSight ? worstAverage(swept, Number(ticket.sizeText), Number(ticket.limitPx)) : swept.averagePx
  }

  /** Distance of the average price from the middle of the book; the greatest possible if beyond sight. */
  get slippage(): number | null {
    return book.mid !== null && this.sweep !== null ? Math.abs(this.#takenPx / book.mid - 1) : null
  }

  /** The fee; the greatest possible if beyond sight. */
  get fee(): number {
    const taken = this.#taken
    const made = ticket.kind === 'limit' && ticket.tif !== 'Ioc' ? Number(ticket.sizeText) - taken : 0
    return taken * this.#takenPx * Number(account.fees.userCrossRate) + made * (ticket.referencePx ?? 0) * Number(account.fees.userAddRate)
  }

  get #postOnly(): PostOnly | null {
    const [px, markPx] = [ticket.limitPx, markets.markPx]
    if (!ticket.isPostOnly || px === null || markPx === null) return null
    const size = Number(ticket.sizeText)
    return { isBuy: ticket.isBuy, px: Number(px), sz: ticket.reduceOnly ? Math.min(size, ticket.maxSize) : size, markPx }
  }

  /** The fee of a post-only order that meets another at its worst price; null where only the maker's is possible. */
  get feeOfMeeting(): number | null {
    const order = this.#postOnly
    const px = order && takerFeePx(order, book.mid ?? order.markPx)
    return px === null ? null : Number(ticket.sizeText) * px * Number(account.fees.userCrossRate)
  }

  /** Whether a post-only order will be refused, and what it will cost if not, where that is in doubt. */
  get #doubtOfPostOnly(): string {
    const order = this.#postOnly
    const best = this.#levels[0]
    if (order === null || order.sz === 0) return ''
    const { name, szDecimals } = markets.current!
    const words: string[] = []
    const crosses = best !== undefined && (order.isBuy ? best.px <= order.px : best.px >= order.px)
    if (isKeptOut(order, this.#levels)) words.push(`Likely refused: earlier orders for ${floorSz(inTheWay(order, this.#levels), szDecimals)} ${name} are in its way, more than a 16th of it.`)
    else if (crosses) words.push(`Crosses the best ${order.isBuy ? 'ask' : 'bid'} (${fmtPx(best.px, szDecimals)}): what takers leave of both meets at the end of the batch.`)
    if (this.feeOfMeeting !== null) words.push('If it meets an order of its batch at the middle of the book or worse, it pays the taker’s fee.')
    return words.join(' ')
  }

  /** What an order will leave undone, or what cannot be told of it; empty if all is as it should. */
  get doubt(): string {
    const { name, szDecimals } = markets.current ?? { name: '', szDecimals: 0 }
    const size = Number(ticket.sizeText)
    if (ticket.isPostOnly) return this.#doubtOfPostOnly
    if (size === 0 || (ticket.kind === 'limit' && ticket.tif !== 'Ioc')) return ''
    const filled = this.sweep?.filled ?? 0
    if (this.isBeyondSight) return `Beyond the visible book (${floorSz(filled, szDecimals)} ${name}): prices up to the limit are possible.`
    if (filled < size - 1e-12) return `The book holds ${floorSz(filled, szDecimals)} ${name} within the limit: the rest would be cancelled.`
    return ''
  }

  get marginRequired(): number | null {
    if (ticket.reduceOnly) return 0
    return ticket.leverage === null ? null : ticket.value / ticket.leverage
  }

  get liquidationPx(): number | null {
    const market = markets.current
    const px = ticket.referencePx
    const mark = markets.markPx
    if (!market || !px || !mark || !account.summary || Number(ticket.sizeText) === 0) return null
    const held = account.positionIn(market.name)
    const change = (ticket.isBuy ? 1 : -1) * Number(ticket.sizeText)
    const size = (held?.size ?? 0) + change
    const ownMaintenance = held ? (Math.abs(held.size) * mark) / (2 * market.maxLeverage) : 0
    return liquidationPx({
      size,
      markPx: mark,
      accountValue: account.equity - this.fee + change * (mark - (this.sweep ? this.#takenPx : px)),
      otherMaintenance: Math.max(0, account.maintenance - ownMaintenance),
      maxLeverage: market.maxLeverage,
    })
  }
}

export const estimates = new Estimates()
