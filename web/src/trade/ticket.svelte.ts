// The order being written: what the form holds and what it would mean.

import type { Account } from '../account/account.svelte.ts'
import type { OrderRequest, Tif } from '../core/actions.ts'
import { decimals, floorSz, isValidPx, isValidSz, num, roundPx } from '../core/numbers.ts'
import { read, readNumber } from '../core/typed.ts'
import { t } from '../i18n/locale.svelte.ts'
import type { Market } from '../market/market.svelte.ts'
import type { NodeClient } from '../node/client.ts'

/** A market order is an immediate limit order this far through the market. */
const MARKET_SLIPPAGE = 0.05
export const MIN_ORDER_VALUE = 10
/** The chain has the last word on margin; only what is clearly too much is not sent. */
const MARGIN_SLACK = 1.02

export class Ticket {
  isBuy = $state(true)
  kind = $state<'market' | 'limit'>('limit')
  /** Price and amount as they stand in their fields: what is signed is read from nothing else. */
  px = $state('')
  amount = $state('')
  unit = $state<'coin' | 'quote'>('coin')
  percent = $state(0)
  tif = $state<Tif>('Gtc')
  reduceOnly = $state(false)

  readonly #node: NodeClient
  readonly #market: Market
  readonly #account: Account

  constructor(node: NodeClient, market: Market, account: Account) {
    this.#node = node
    this.#market = market
    this.#account = account
  }

  get isPostOnly(): boolean {
    return this.kind === 'limit' && this.tif === 'Alo'
  }

  /** As the chain says; null until it has said it. */
  get leverage(): number | null {
    const coin = this.#market.coin
    return this.#account.positionIn(coin)?.leverage ?? this.#account.tradable[coin]?.leverage.value ?? null
  }

  /** The price that the size is judged at. */
  get referencePx(): number | null {
    const written = this.kind === 'limit' ? readNumber(this.px) : null
    if (written) return written
    return (this.isBuy ? this.#market.book.bestAsk : this.#market.book.bestBid) ?? this.#market.markPx
  }

  get size(): number {
    const amount = readNumber(this.amount) ?? 0
    return this.unit === 'coin' ? amount : this.referencePx ? amount / this.referencePx : 0
  }

  /** As it would be signed: of an amount in coin its very digits, of one in USDC an estimate cut to whole lots. */
  get sizeText(): string {
    if (this.unit === 'coin') return read(this.amount).text ?? '0'
    return floorSz(this.size, this.#market.szDecimals)
  }

  get value(): number {
    return Number(this.sizeText) * (this.referencePx ?? 0)
  }

  /** Margin that is free for this side; null while it is not known. */
  get available(): number | null {
    const told = this.#account.address === null ? null : num(this.#account.tradable[this.#market.coin]?.availableToTrade[this.isBuy ? 0 : 1])
    return told ?? (this.#account.summary && Math.max(0, this.#account.equity - this.#account.marginUsed))
  }

  /** Greatest size that the free margin, or for reduce-only the position, allows. */
  get maxSize(): number {
    const position = this.#account.positionIn(this.#market.coin)
    const held = position?.size ?? 0
    const closing = (held > 0 && !this.isBuy) || (held < 0 && this.isBuy) ? Math.abs(held) : 0
    if (this.reduceOnly) return closing
    const px = this.referencePx
    if (!px) return 0
    const feeRate = Number(this.#account.fees.userCrossRate)
    // What is closed frees its own margin, which can then be used on the other side.
    const freed = closing > 0 ? (position?.margin ?? 0) : 0
    const affordable = closing + ((this.available ?? 0) + freed) / (px * (1 / (this.leverage ?? 1) + feeRate))
    const told = num(this.#account.tradable[this.#market.coin]?.maxTradeSzs[this.isBuy ? 0 : 1])
    return told === null ? affordable : Math.min(affordable, told)
  }

  /** The price beyond which nothing is bought or sold, as it would be signed. */
  get limitPx(): string | null {
    if (this.kind === 'limit') {
      const { text } = read(this.px)
      return text !== null && isValidPx(text, this.#market.szDecimals) ? text : null
    }
    return this.referencePx === null ? null : marketPx(this.isBuy, this.referencePx, this.#market.szDecimals)
  }

  /** Why the order cannot be sent, in words; null when it can. */
  get problem(): string | null {
    const market = this.#market.listed
    if (!market) return t('ticket.waitingMarkets')
    const unread = this.#unread(market.szDecimals)
    if (unread !== null) return unread
    if (!isValidSz(this.sizeText, market.szDecimals)) return t('ticket.smallestSize', { size: 10 ** -market.szDecimals, coin: market.name })
    if (!this.reduceOnly && this.value < MIN_ORDER_VALUE) return t('ticket.smallestOrder', { value: MIN_ORDER_VALUE })
    if (this.reduceOnly && this.#account.address !== null && !this.#account.summary) return t('ticket.waitingPositions')
    if (this.reduceOnly && this.maxSize === 0) return t('ticket.nothingToReduce')
    if (!this.reduceOnly && this.#account.summary && this.size > this.maxSize * MARGIN_SLACK) {
      return t('ticket.notEnough', { size: floorSz(this.maxSize, market.szDecimals), coin: market.name })
    }
    return null
  }

  /** Why what stands in the fields is no size, or no price, of this market; null when it is. */
  #unread(szDecimals: number): string | null {
    if (this.amount === '') return t('ticket.enterSize')
    const size = read(this.amount)
    if (size.problem !== null) return t('ticket.sizeProblem', { problem: size.problem })
    if (this.unit === 'coin' && decimals(size.text) > szDecimals) return t('ticket.sizeDecimals', { n: szDecimals })
    if (this.kind === 'market') return this.referencePx ? marketProblem(this.#node) : t('ticket.noPrice')
    if (this.px === '') return t('ticket.enterPrice')
    const px = read(this.px)
    if (px.problem !== null) return t('ticket.priceProblem', { problem: px.problem })
    return isValidPx(px.text, szDecimals) ? null : t('ticket.priceDigits', { n: 6 - szDecimals })
  }

  setPercent(percent: number): void {
    this.percent = percent
    const size = floorSz(this.maxSize * (percent / 100), this.#market.szDecimals)
    this.amount = this.unit === 'coin' ? size : (Number(size) * (this.referencePx ?? 0)).toFixed(2)
    if (percent === 0) this.amount = ''
  }

  setAmount(text: string): void {
    this.amount = text
    this.percent = this.maxSize > 0 ? Math.min(100, Math.round((this.size / this.maxSize) * 100)) : 0
  }

  setUnit(unit: 'coin' | 'quote'): void {
    if (unit === this.unit) return
    const size = this.size
    this.unit = unit
    if (read(this.amount).text === null) return
    this.amount = unit === 'coin' ? floorSz(size, this.#market.szDecimals) : (size * (this.referencePx ?? 0)).toFixed(2)
  }

  /** Take over a price that the chain told: it is a valid one as it stands. */
  takePx(text: string): void {
    this.kind = 'limit'
    this.px = text
  }

  /** The middle of the book, on the own side of it: a price that does not trade at once. */
  takeMid(): void {
    if (this.#market.book.mid !== null) this.takePx(roundPx(this.#market.book.mid, this.#market.szDecimals, this.isBuy ? 'down' : 'up'))
  }

  /** The best price of the own side. */
  takeBest(): void {
    const best = this.isBuy ? this.#market.book.bids[0] : this.#market.book.asks[0]
    if (best) this.takePx(best.text)
  }

  clear(): void {
    this.amount = ''
    this.percent = 0
  }

  request(): OrderRequest {
    const market = this.#market.listed!
    return {
      asset: market.index,
      isBuy: this.isBuy,
      px: this.limitPx!,
      sz: this.sizeText,
      reduceOnly: this.reduceOnly,
      tif: this.kind === 'limit' ? this.tif : 'Ioc',
      szDecimals: market.szDecimals,
    }
  }
}

/** Why no order goes out at the market: its limit is reckoned from a price that may be old. */
export function marketProblem({ feed }: NodeClient): string | null {
  return feed.state === 'open' ? null : t('ticket.silent')
}

export function marketPx(isBuy: boolean, px: number, szDecimals: number): string {
  return roundPx(px * (isBuy ? 1 + MARKET_SLIPPAGE : 1 - MARKET_SLIPPAGE), szDecimals)
}
