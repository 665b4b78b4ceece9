// What the order being written would do, for the eye. The chain decides; where the page cannot see far enough, these are
// bounds and say so.

import type { Account } from '../account/account.svelte.ts'
import { liquidationPx, sweep, worstAverage, type Level, type Sweep } from '../core/estimate.ts'
import { floorSz, fmtPx } from '../core/numbers.ts'
import { inTheWay, isRemoved, takerFeePx, type PostOnly } from '../core/postonly.ts'
import { t } from '../i18n/locale.svelte.ts'
import { LEVELS } from '../market/book.svelte.ts'
import type { Market } from '../market/market.svelte.ts'
import type { Ticket } from './ticket.svelte.ts'

export class Estimates {
  readonly #ticket: Ticket
  readonly #market: Market
  readonly #account: Account

  constructor(ticket: Ticket, market: Market, account: Account) {
    this.#ticket = ticket
    this.#market = market
    this.#account = account
  }

  /** What the order would take at once of the levels that are known. */
  get sweep(): Sweep | null {
    if (this.#ticket.limitPx === null || this.#ticket.isPostOnly) return null
    return sweep(this.#levels, Number(this.#ticket.sizeText), Number(this.#ticket.limitPx), this.#ticket.isBuy)
  }

  get #levels(): readonly Level[] {
    return this.#ticket.isBuy ? this.#market.book.asks : this.#market.book.bids
  }

  /** Whether the order goes beyond the levels that the node tells: then estimates are bounds. */
  get isBeyondSight(): boolean {
    return this.sweep?.ranOut === true && this.#levels.length >= LEVELS
  }

  /** What would be filled at once, as far as can be seen; the whole order if it goes beyond sight. */
  get #taken(): number {
    return this.isBeyondSight ? Number(this.#ticket.sizeText) : (this.sweep?.filled ?? 0)
  }

  /** Average price of what is taken; the worst possible where it cannot be seen. */
  get #takenPx(): number {
    const swept = this.sweep
    if (swept === null || this.#ticket.limitPx === null) return this.#ticket.referencePx ?? 0
    return this.isBeyondSight ? worstAverage(swept, Number(this.#ticket.sizeText), Number(this.#ticket.limitPx)) : swept.averagePx
  }

  /** Distance of the average price from the middle of the book; the greatest possible if beyond sight. */
  get slippage(): number | null {
    return this.#market.book.mid !== null && this.sweep !== null ? Math.abs(this.#takenPx / this.#market.book.mid - 1) : null
  }

  /** The fee; the greatest possible if beyond sight. */
  get fee(): number {
    const taken = this.#taken
    const made = this.#ticket.kind === 'limit' && this.#ticket.tif !== 'Ioc' ? Number(this.#ticket.sizeText) - taken : 0
    return taken * this.#takenPx * Number(this.#account.fees.userCrossRate) + made * (this.#ticket.referencePx ?? 0) * Number(this.#account.fees.userAddRate)
  }

  get #postOnly(): PostOnly | null {
    const px = this.#ticket.limitPx
    if (!this.#ticket.isPostOnly || px === null) return null
    const size = Number(this.#ticket.sizeText)
    return { isBuy: this.#ticket.isBuy, px: Number(px), sz: this.#ticket.reduceOnly ? Math.min(size, this.#ticket.maxSize) : size }
  }

  /** The fee of a post-only order that meets another at its worst price; null where only the maker's is possible. */
  get feeOfMeeting(): number | null {
    const order = this.#postOnly
    const middle = this.#market.book.mid ?? this.#market.markPx
    const px = order && middle !== null ? takerFeePx(order, middle) : null
    return px === null ? null : Number(this.#ticket.sizeText) * px * Number(this.#account.fees.userCrossRate)
  }

  /** Whether a post-only order will be refused, and what it will cost if not, where that is in doubt. */
  get #doubtOfPostOnly(): string {
    const order = this.#postOnly
    const best = this.#levels[0]
    if (order === null || order.sz === 0) return ''
    const { name, szDecimals } = this.#market.listed!
    const words: string[] = []
    const crosses = best !== undefined && (order.isBuy ? best.px <= order.px : best.px >= order.px)
    if (isRemoved(order, this.#levels)) words.push(t('ticket.likelyRefused', { size: floorSz(inTheWay(order, this.#levels), szDecimals), coin: name }))
    else if (crosses) words.push(t(order.isBuy ? 'ticket.crossesAsk' : 'ticket.crossesBid', { px: fmtPx(best.px, szDecimals) }))
    if (this.feeOfMeeting !== null) words.push(t('ticket.meeting'))
    return words.join(' ')
  }

  /** What an order will leave undone, or what cannot be told of it; empty if all is as it should. */
  get doubt(): string {
    const { name, szDecimals } = this.#market.listed ?? { name: '', szDecimals: 0 }
    const size = Number(this.#ticket.sizeText)
    if (this.#ticket.isPostOnly) return this.#doubtOfPostOnly
    if (size === 0 || (this.#ticket.kind === 'limit' && this.#ticket.tif !== 'Ioc')) return ''
    const filled = this.sweep?.filled ?? 0
    if (this.isBeyondSight) return t('ticket.beyond', { size: floorSz(filled, szDecimals), coin: name })
    if (filled < size - 1e-12) return t('ticket.bookHolds', { size: floorSz(filled, szDecimals), coin: name })
    return ''
  }

  get marginRequired(): number | null {
    if (this.#ticket.reduceOnly) return 0
    return this.#ticket.leverage === null ? null : this.#ticket.value / this.#ticket.leverage
  }

  get liquidationPx(): number | null {
    const market = this.#market.listed
    const px = this.#ticket.referencePx
    const mark = this.#market.markPx
    if (!market || !px || !mark || !this.#account.summary || Number(this.#ticket.sizeText) === 0) return null
    const held = this.#account.positionIn(market.name)
    const change = (this.#ticket.isBuy ? 1 : -1) * Number(this.#ticket.sizeText)
    const size = (held?.size ?? 0) + change
    const ownMaintenance = held ? (Math.abs(held.size) * mark) / (2 * market.maxLeverage) : 0
    return liquidationPx({
      size,
      markPx: mark,
      accountValue: this.#account.equity - this.fee + change * (mark - (this.sweep ? this.#takenPx : px)),
      otherMaintenance: Math.max(0, this.#account.maintenance - ownMaintenance),
      maxLeverage: market.maxLeverage,
    })
  }
}
