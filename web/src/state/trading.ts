// The trader's commands: each sends one action and says in a toast what became of it.

import { cancelAction, leverageAction, orderAction, type OrderRequest } from '../lib/actions.ts'
import { inWords } from '../lib/errors.ts'
import { fmt, fmtPx, trim } from '../lib/numbers.ts'
import type { ExchangeAnswer, OrderStatus } from '../net/http.ts'
import type { Fill, OpenOrder } from '../net/shapes.ts'
import type { Position } from './account.svelte.ts'
import { book } from './book.svelte.ts'
import { markets } from './markets.svelte.ts'
import { session } from './session.svelte.ts'
import { marketPx } from './ticket.svelte.ts'
import { ui } from './ui.svelte.ts'

/** Run a command; a failure becomes a toast. Resolves true when it succeeded. */
export async function attempt(title: string, command: () => Promise<void>): Promise<boolean> {
  try {
    await command()
    return true
  } catch (fault) {
    if (!(fault instanceof Reported)) ui.toast('bad', title, inWords(fault))
    return false
  }
}

export function place(requests: OrderRequest[]): Promise<boolean> {
  return attempt('Order refused', async () => {
    const started = performance.now()
    const answer = await session.trade(orderAction(requests))
    const took = Math.round(performance.now() - started)
    const faults = statuses(answer).map((status, i) => report(requests[i]!, status, took))
    if (faults.includes(true)) throw new Reported()
  })
}

/** A failure that has been shown already. */
class Reported extends Error {}

function report(order: OrderRequest, status: OrderStatus, tookMs: number): boolean {
  const market = markets.all[order.asset]!
  const what = `${order.isBuy ? 'Buy' : 'Sell'} ${order.sz} ${market.name}`
  if (typeof status === 'object' && 'filled' in status) {
    const { totalSz, avgPx } = status.filled
    ui.toast('good', `${order.isBuy ? 'Bought' : 'Sold'} ${trim(totalSz)} ${market.name}`, `at ${fmtPx(avgPx, market.szDecimals)} · preconfirmed ${tookMs} ms`)
  } else if (typeof status === 'object' && 'resting' in status) {
    ui.toast('plain', `${what} placed`, `at ${fmtPx(order.px, market.szDecimals)} · preconfirmed ${tookMs} ms`)
  } else if (typeof status === 'object' && 'error' in status) {
    ui.toast('bad', `${what} refused`, inWords(status.error))
    return true
  } else ui.toast('plain', what, String(status))
  return false
}

function statuses(answer: ExchangeAnswer): OrderStatus[] {
  return typeof answer.response === 'object' ? (answer.response.data?.statuses ?? []) : []
}

export function cancel(orders: readonly OpenOrder[]): Promise<boolean> {
  return attempt('Cancel refused', async () => {
    const cancels = orders.flatMap(({ coin, oid }) => {
      const market = markets.named(coin)
      return market ? [{ asset: market.index, oid }] : []
    })
    if (cancels.length === 0) return
    const done = statuses(await session.trade(cancelAction(cancels)))
    const fault = done.find((status) => typeof status === 'object' && 'error' in status) as { error: string } | undefined
    if (fault) throw new Error(fault.error)
    ui.toast('plain', cancels.length === 1 ? 'Order cancelled' : `${cancels.length} orders cancelled`)
  })
}

export function closeAtMarket(positions: readonly Position[]): Promise<boolean> {
  return place(
    positions.flatMap((position) => {
      const market = markets.named(position.coin)
      if (!market) return []
      const isBuy = position.size < 0
      const quoted = position.coin === markets.coin ? (isBuy ? book.bestAsk : book.bestBid) : null
      const px = marketPx(isBuy, quoted ?? position.markPx, market.szDecimals)
      const sz = position.szi.replace('-', '')
      return [{ asset: market.index, isBuy, px, sz, reduceOnly: true, tif: 'Ioc' as const, szDecimals: market.szDecimals }]
    }),
  )
}

/** Resting orders fill while the trader looks elsewhere: say so, one line a market and side. */
export function announceMakerFills(fills: readonly Fill[]): void {
  const groups = new Map<string, Fill[]>()
  for (const fill of fills) groups.set(fill.coin + fill.side, [...(groups.get(fill.coin + fill.side) ?? []), fill])
  for (const [first, ...rest] of groups.values()) {
    const all = [first!, ...rest]
    const size = all.reduce((sum, fill) => sum + Number(fill.sz), 0)
    const px = all.reduce((sum, fill) => sum + Number(fill.px) * Number(fill.sz), 0) / size
    const market = markets.named(first!.coin)
    const szDecimals = market?.szDecimals ?? 0
    ui.toast('good', `Order filled: ${first!.side === 'B' ? 'bought' : 'sold'} ${fmt(size, 0, szDecimals)} ${first!.coin}`, `at ${fmtPx(px, szDecimals)}`)
  }
}

export function setLeverage(coin: string, leverage: number): Promise<boolean> {
  return attempt('Leverage not changed', async () => {
    await session.trade(leverageAction(markets.named(coin)!.index, leverage))
    ui.toast('good', `${coin} leverage is ${fmt(leverage, 0)}×`)
  })
}
