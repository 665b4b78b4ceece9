// The trader's commands: each sends one action and says in a toast what became of it.

import type { Position } from '../account/account.svelte.ts'
import { cancelAction, leverageAction, orderAction, type OrderRequest, type Tif } from '../core/actions.ts'
import { forced } from '../core/fills.ts'
import { fmt, fmtPx } from '../core/numbers.ts'
import { MakerFills, newCloid, outcomeOf, type Outcome } from '../core/outcome.ts'
import type { ExchangeAnswer, Fill, OpenOrder, OrderStatus } from '../core/shapes.ts'
import { t, tn, type Key } from '../i18n/locale.svelte.ts'
import type { Listed, Listing } from '../market/listing.svelte.ts'
import type { Market } from '../market/market.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import { inWords } from '../node/errors.ts'
import { AnswerLost, orderOutcome } from '../node/outcomes.ts'
import { Reported, type Tell } from '../trader/reports.ts'
import { EXPIRES_MS } from '../trader/session.svelte.ts'
import type { Trader } from '../trader/trader.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import { marketProblem, marketPx } from './ticket.svelte.ts'

export class Orders {
  readonly #node: NodeClient
  readonly #market: Market
  readonly #trader: Trader
  readonly #screen: Screen
  /** Of each account on its own: one whose order is not settled holds back no other's fills. */
  readonly #makerFills = new Map<string | null, MakerFills>()

  constructor(node: NodeClient, market: Market, trader: Trader, screen: Screen) {
    this.#node = node
    this.#market = market
    this.#trader = trader
    this.#screen = screen
  }

  /** Send orders. Resolves true when none was refused; what was filled in part counts as taken. */
  async place(requests: OrderRequest[]): Promise<boolean> {
    const [fills, tell] = [this.#makerFillsOf(this.#trader.session.address), this.#trader.reports.teller()]
    fills.begin()
    const done = await this.#trader.reports.attempt(t('orders.refused'), () => this.#placing(requests, fills, tell))
    this.#announce(fills.end(), tell)
    return done
  }

  async #placing(requests: OrderRequest[], fills: MakerFills, tell: Tell): Promise<void> {
    const orders = requests.map((request) => ({ ...request, cloid: newCloid(), market: this.#market.listing.at(request.asset) }))
    const user = this.#trader.session.address! // whose orders these are, whoever is at the screen when they are answered
    const expiresAfterMs = this.#node.network.chainNowMs() + EXPIRES_MS
    const started = performance.now()
    let told: OrderStatus[] | null = null
    try {
      told = statuses(await this.#trader.session.trade(orderAction(orders), expiresAfterMs))
    } catch (fault) {
      if (!(fault instanceof AnswerLost)) throw fault
    }
    const took = told === null ? null : Math.round(performance.now() - started)
    const settled = told === null ? this.#screen.standing('warn', t('ui.outcomeUnknown'), t('ui.answerLost')) : () => undefined
    const asked = orders.map((order, i) => (told && outcomeOf(told[i]!)) ?? orderOutcome(this.#node, user, order.cloid, expiresAfterMs))
    const outcomes = await Promise.all(asked).finally(settled)
    for (const outcome of outcomes) if (outcome !== null) fills.count(outcome)
    if (outcomes.map((outcome, i) => report(orders[i]!, outcome, took, tell)).includes(false)) throw new Reported()
  }

  cancel(orders: readonly OpenOrder[]): Promise<boolean> {
    return this.#trader.reports.attempt(t('orders.cancelRefused'), async (tell) => {
      const cancels = orders.flatMap(({ coin, oid }) => {
        const market = this.#market.listing.named(coin)
        return market ? [{ asset: market.index, oid }] : []
      })
      if (cancels.length === 0) return
      const told = statuses(await this.#trader.session.act(cancelAction(cancels)))
      const faults = told.flatMap((status) => (typeof status === 'object' && 'error' in status ? [status.error] : []))
      const done = told.length - faults.length
      if (faults.length > 0) throw new Error(done > 0 ? t('orders.someCancelled', { done, all: told.length, said: inWords(faults[0]) }) : faults[0])
      tell('plain', tn('orders.cancelled', done))
    })
  }

  async closeAtMarket(positions: readonly Position[]): Promise<boolean> {
    const problem = marketProblem(this.#node)
    if (problem !== null) {
      this.#screen.toast('bad', t('orders.notClosed'), problem)
      return false
    }
    return this.place(
      positions.flatMap((position) => {
        const market = this.#market.listing.named(position.coin)
        if (!market) return []
        const isBuy = position.size < 0
        const quoted = position.coin === this.#market.coin ? (isBuy ? this.#market.book.bestAsk : this.#market.book.bestBid) : null
        const px = marketPx(isBuy, quoted ?? position.markPx, market.szDecimals)
        const sz = position.szi.replace('-', '')
        return [{ asset: market.index, isBuy, px, sz, reduceOnly: true, tif: 'Ioc' as const, szDecimals: market.szDecimals }]
      }),
    )
  }

  setLeverage(coin: string, leverage: number): Promise<boolean> {
    return this.#trader.reports.attempt(t('orders.leverageNotChanged'), async (tell) => {
      await this.#trader.session.act(leverageAction(this.#market.listing.named(coin)!.index, leverage))
      tell('good', t('orders.leverageIs', { coin, leverage: fmt(leverage, 0) }))
    })
  }

  /** Resting orders fill while the trader looks elsewhere: say so, one line a market and side. */
  announceMakerFills(fills: readonly Fill[]): void {
    this.#announce(this.#makerFillsOf(this.#trader.session.address).news(fills), this.#trader.reports.teller())
  }

  #announce(fills: readonly Fill[], tell: Tell): void {
    for (const { isBuy, coin, size, px } of summed(this.#market.listing, fills, () => null)) {
      tell('good', t(isBuy ? 'orders.restingBought' : 'orders.restingSold', { size, coin }), t('orders.at', { px }))
    }
  }

  /** The exchange closed a position of the trader's: say which, and why. */
  announceForcedFills(fills: readonly Fill[]): void {
    for (const { why, isBuy, coin, size, px } of summed(this.#market.listing, fills, (fill) => forced(fill)!)) {
      const title = t(isBuy ? 'orders.forcedBought' : 'orders.forcedSold', { why: t(`fills.why.${why}`), size, coin })
      this.#screen.toast(why === 'Liquidated' ? 'bad' : 'notice', title, t('orders.closedByExchange', { px }))
    }
  }

  #makerFillsOf(user: string | null): MakerFills {
    if (!this.#makerFills.has(user)) this.#makerFills.set(user, new MakerFills())
    return this.#makerFills.get(user)!
  }
}

/** Say what became of the order; false if nothing of it was taken. */
function report(order: OrderRequest & { market: Listed }, outcome: Outcome | null, tookMs: number | null, tell: Tell): boolean {
  const { market, isBuy, sz } = order
  const coin = market.name
  const px = (value: number | string): string => fmtPx(value, market.szDecimals)
  const what = t(isBuy ? 'orders.whatBuy' : 'orders.whatSell', { size: sz, coin })
  if (outcome === null || outcome.error !== null) {
    if (outcome === null) tell('bad', t('orders.notPlaced', { what }), t('orders.never'))
    else tell('bad', t('orders.whatRefused', { what }), inWords(outcome.error))
    return false
  }
  const { filled, averagePx, isResting } = outcome
  const tier = tookMs === null ? t('orders.asChain') : t('orders.preconfirmedIn', { ms: tookMs })
  const at = averagePx === null ? '' : t('orders.at', { px: px(averagePx) })
  const size = fmt(filled, 0, market.szDecimals)
  const part = t(isBuy ? 'orders.boughtPart' : 'orders.soldPart', { size, asked: sz, coin })
  if (filled >= Number(sz)) tell('good', t(isBuy ? 'orders.bought' : 'orders.sold', { size, coin }), `${at} · ${tier}`)
  else if (filled > 0) tell('notice', part, `${t(restOf(order.tif, isResting), { at, px: px(order.px) })} · ${tier}`)
  else if (isResting) tell('plain', t('orders.placed', { what }), `${t('orders.at', { px: px(order.px) })} · ${tier}`)
  else tell('notice', t('orders.nothingFilled', { what }), t('orders.ended'))
  return true
}

/** What became of the rest of an order that was filled in part. */
function restOf(tif: Tif, isResting: boolean): Key {
  if (isResting) return 'orders.restWaits'
  return tif === 'Alo' ? 'orders.restRefused' : 'orders.restCancelled'
}

function statuses(answer: ExchangeAnswer): OrderStatus[] {
  return typeof answer.response === 'object' ? (answer.response.data?.statuses ?? []) : []
}

interface Summed<Why> {
  why: Why
  isBuy: boolean
  coin: string
  size: string
  px: string
}

/** What fills of the same reason, market and side come to. */
function summed<Why>(listing: Listing, fills: readonly Fill[], reason: (fill: Fill) => Why): Summed<Why>[] {
  const groups = new Map<string, Fill[]>()
  const key = (fill: Fill): string => `${reason(fill)}/${fill.coin}/${fill.side}`
  for (const fill of fills) groups.set(key(fill), [...(groups.get(key(fill)) ?? []), fill])
  return [...groups.values()].map((all) => {
    const { coin, side } = all[0]!
    const size = all.reduce((sum, fill) => sum + Number(fill.sz), 0)
    const px = all.reduce((sum, fill) => sum + Number(fill.px) * Number(fill.sz), 0) / size
    const szDecimals = listing.named(coin)?.szDecimals ?? 0
    return { why: reason(all[0]!), isBuy: side === 'B', coin, size: fmt(size, 0, szDecimals), px: fmtPx(px, szDecimals) }
  })
}
