// The order being written: what the form holds and what it would mean.

import { sweep, liquidationPx, type Sweep } from '../lib/estimate.ts'
import { floorSz, isValidPx, isValidSz, num, roundPx } from '../lib/numbers.ts'
import type { OrderRequest, Tif } from '../lib/actions.ts'
import { account } from './account.svelte.ts'
import { book } from './book.svelte.ts'
import { markets } from './markets.svelte.ts'

/** A market order is an immediate limit order this far through the market. */
const MARKET_SLIPPAGE = 0.05
export const MIN_ORDER_VALUE = 10
const DEFAULT_LEVERAGE = 10
/** The chain has the last word on margin; only what is clearly too much is not sent. */
const MARGIN_SLACK = 1.02

class TicketState {
  isBuy = $state(true)
  kind = $state<'market' | 'limit'>('limit')
  px = $state('')
  amount = $state('')
  unit = $state<'coin' | 'quote'>('coin')
  percent = $state(0)
  tif = $state<Tif>('Gtc')
  reduceOnly = $state(false)

  get leverage(): number {
    const coin = markets.coin
    const known = account.positionIn(coin)?.leverage ?? account.tradable[coin]?.leverage.value
    return known ?? Math.min(DEFAULT_LEVERAGE, markets.current?.maxLeverage ?? DEFAULT_LEVERAGE)
  }

  /** The price that the size is judged at. */
  get referencePx(): number | null {
    if (this.kind === 'limit' && num(this.px)) return num(this.px)
    return (this.isBuy ? book.bestAsk : book.bestBid) ?? markets.markPx
  }

  get size(): number {
    const amount = num(this.amount) ?? 0
    return this.unit === 'coin' ? amount : this.referencePx ? amount / this.referencePx : 0
  }

  get sizeText(): string {
    return floorSz(this.size, markets.szDecimals)
  }

  get value(): number {
    return Number(this.sizeText) * (this.referencePx ?? 0)
  }

  /** Margin that is free for this side. */
  get available(): number {
    const told = num(account.tradable[markets.coin]?.availableToTrade[this.isBuy ? 0 : 1])
    return told ?? Math.max(0, account.equity - account.marginUsed)
  }

  /** Greatest size that the free margin, or for reduce-only the position, allows. */
  get maxSize(): number {
    const position = account.positionIn(markets.coin)
    const held = position?.size ?? 0
    const closing = (held > 0 && !this.isBuy) || (held < 0 && this.isBuy) ? Math.abs(held) : 0
    if (this.reduceOnly) return closing
    const px = this.referencePx
    if (!px) return 0
    const feeRate = Number(account.fees.userCrossRate)
    // What is closed frees its own margin, which can then be used on the other side.
    const freed = closing > 0 ? (position?.margin ?? 0) : 0
    const affordable = closing + (this.available + freed) / (px * (1 / this.leverage + feeRate))
    const told = num(account.tradable[markets.coin]?.maxTradeSzs[this.isBuy ? 0 : 1])
    return told === null ? affordable : Math.min(affordable, told)
  }

  get sweep(): Sweep | null {
    const limit = this.kind === 'limit' ? num(this.px) : null
    return sweep(this.isBuy ? book.asks : book.bids, Number(this.sizeText), limit, this.isBuy)
  }

  get slippage(): number | null {
    const mid = book.mid
    const swept = this.sweep
    return mid && swept ? Math.abs(swept.averagePx / mid - 1) : null
  }

  get fee(): number {
    const size = Number(this.sizeText)
    const px = this.referencePx ?? 0
    const taken = this.tif === 'Alo' && this.kind === 'limit' ? 0 : (this.sweep?.filled ?? 0)
    const made = this.kind === 'limit' && this.tif !== 'Ioc' ? size - taken : 0
    return taken * (this.sweep?.averagePx ?? px) * Number(account.fees.userCrossRate) + made * px * Number(account.fees.userAddRate)
  }

  get marginRequired(): number {
    return this.reduceOnly ? 0 : this.value / this.leverage
  }

  get liquidationPx(): number | null {
    const market = markets.current
    const px = this.referencePx
    const mark = markets.markPx
    if (!market || !px || !mark || !account.summary || Number(this.sizeText) === 0) return null
    const held = account.positionIn(market.name)
    const change = (this.isBuy ? 1 : -1) * Number(this.sizeText)
    const size = (held?.size ?? 0) + change
    const ownMaintenance = held ? (Math.abs(held.size) * mark) / (2 * market.maxLeverage) : 0
    return liquidationPx({
      size,
      markPx: mark,
      accountValue: account.equity - this.fee + change * (mark - (this.sweep?.averagePx ?? px)),
      otherMaintenance: Math.max(0, account.maintenance - ownMaintenance),
      maxLeverage: market.maxLeverage,
    })
  }

  /** Why the order cannot be sent, in words; null when it can. */
  get problem(): string | null {
    const market = markets.current
    if (!market) return 'Waiting for the markets'
    if (this.amount === '') return 'Enter a size'
    if (this.kind === 'limit') {
      if (this.px === '') return 'Enter a price'
      if (!isValidPx(this.px, market.szDecimals)) {
        return `Price: at most 5 digits and ${6 - market.szDecimals} decimals`
      }
    } else if (!this.referencePx) return 'No price yet'
    if (!isValidSz(this.sizeText, market.szDecimals)) return `Smallest size is ${10 ** -market.szDecimals} ${market.name}`
    if (!this.reduceOnly && this.value < MIN_ORDER_VALUE) return `Smallest order is ${MIN_ORDER_VALUE} USDC`
    if (this.reduceOnly && this.maxSize === 0) return 'Nothing to reduce on this side'
    if (!this.reduceOnly && account.summary && this.size > this.maxSize * MARGIN_SLACK) {
      return `Not enough margin: at most ${floorSz(this.maxSize, market.szDecimals)} ${market.name}`
    }
    return null
  }

  setPercent(percent: number): void {
    this.percent = percent
    const size = floorSz((this.maxSize * percent) / 100, markets.szDecimals)
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
    if (this.amount === '') return
    this.amount = unit === 'coin' ? floorSz(size, markets.szDecimals) : (size * (this.referencePx ?? 0)).toFixed(2)
  }

  takePx(px: number): void {
    this.kind = 'limit'
    this.px = roundPx(px, markets.szDecimals)
  }

  clear(): void {
    this.amount = ''
    this.percent = 0
  }

  request(): OrderRequest {
    const market = markets.current!
    const px = this.kind === 'limit' ? this.px : marketPx(this.isBuy, this.referencePx!, market.szDecimals)
    return {
      asset: market.index,
      isBuy: this.isBuy,
      px,
      sz: this.sizeText,
      reduceOnly: this.reduceOnly,
      tif: this.kind === 'limit' ? this.tif : 'Ioc',
      szDecimals: market.szDecimals,
    }
  }
}

export function marketPx(isBuy: boolean, px: number, szDecimals: number): string {
  return roundPx(px * (isBuy ? 1 + MARKET_SLIPPAGE : 1 - MARKET_SLIPPAGE), szDecimals)
}

export const ticket = new TicketState()
