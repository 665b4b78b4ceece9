// The trader's commands: each sends one action and says in a toast what became of it.

import { cancelAction, leverageAction, orderAction, type OrderRequest, type Tif } from '../core/actions.ts'
import { inWords } from '../node/errors.ts'
import { forced } from '../core/fills.ts'
import { fmt, fmtPx } from '../core/numbers.ts'
import { MakerFills, newCloid, outcomeOf, type Outcome } from '../core/outcome.ts'
import { short } from '../core/short.ts'
import { AskedTooMuch, Unreachable, type ExchangeAnswer, type OrderStatus } from '../node/http.ts'
import type { Fill, OpenOrder } from '../core/shapes.ts'
import type { Position } from '../account/account.svelte.ts'
import { book } from '../market/book.svelte.ts'
import { markets, type Market } from '../market/markets.svelte.ts'
import { AnswerLost, NotKnown, orderOutcome } from '../node/outcomes.ts'
import { EXPIRES_MS, session } from '../account/session.svelte.ts'
import { network } from '../node/network.svelte.ts'
import { marketProblem, marketPx } from './ticket.svelte.ts'
import { ui, type Tone } from '../ui/ui.svelte.ts'

const NEVER = 'The chain did not take it, and it has expired: it cannot trade any more.'

/** Says what became of a command: also of which account it was, once another one is shown. */
export type Tell = (tone: Tone, title: string, text?: string, hash?: string | null) => void

function teller(): Tell {
  const user = session.address
  return (tone, title, text = '', hash = null) => {
    if (user === null || user === session.address) return ui.toast(tone, title, text, hash)
    const whose = `For ${short(user)}, which is not the account shown now.`
    ui.toast(tone === 'good' || tone === 'plain' ? 'notice' : tone, title, `${whose} ${text}`.trim(), hash)
  }
}

/** Run a command of the account that is shown; a failure becomes a toast. Resolves true when it succeeded. */
export async function attempt(title: string, command: (tell: Tell) => Promise<void>): Promise<boolean> {
  const tell = teller()
  try {
    await command(tell)
    return true
  } catch (fault) {
    if (fault instanceof NotKnown) tell('warn', 'Outcome unknown', fault.message)
    else if (fault instanceof Unreachable) tell('warn', 'No answer', `${fault.message} Whether it was done is not known: look before you repeat it.`)
    else if (fault instanceof AskedTooMuch) tell('bad', title, `Nothing was done. ${inWords('too many requests')}`)
    else if (!(fault instanceof Reported)) tell('bad', title, inWords(fault))
    return false
  }
}

/** A failure that has been shown already. */
class Reported extends Error {}

/** Of each account on its own: one whose order is not settled holds back no other's fills. */
const makerFills = new Map<string | null, MakerFills>()

function makerFillsOf(user: string | null): MakerFills {
  if (!makerFills.has(user)) makerFills.set(user, new MakerFills())
  return makerFills.get(user)!
}

/** Send orders. Resolves true when none was refused; what was filled in part counts as taken. */
export async function place(requests: OrderRequest[]): Promise<boolean> {
  const [fills, tell] = [makerFillsOf(session.address), teller()]
  fills.begin()
  const done = await attempt('Order refused', () => placing(requests, fills, tell))
  announce(fills.end(), tell)
  return done
}

async function placing(requests: OrderRequest[], fills: MakerFills, tell: Tell): Promise<void> {
  const orders = requests.map((request) => ({ ...request, cloid: newCloid(), market: markets.at(request.asset) }))
  const user = session.address! // whose orders these are, whoever is at the screen when they are answered
  const expiresAfterMs = network.chainNowMs() + EXPIRES_MS
  const started = performance.now()
  let told: OrderStatus[] | null = null
  try {
    told = statuses(await session.trade(orderAction(orders), expiresAfterMs))
  } catch (fault) {
    if (!(fault instanceof AnswerLost)) throw fault
  }
  const took = told === null ? null : Math.round(performance.now() - started)
  const settled = told === null ? ui.standing('warn', 'Outcome unknown', 'The answer was lost: asking the chain.') : () => undefined
  const asked = orders.map((order, i) => (told && outcomeOf(told[i]!)) ?? orderOutcome(user, order.cloid, expiresAfterMs))
  const outcomes = await Promise.all(asked).finally(settled)
  for (const outcome of outcomes) if (outcome !== null) fills.count(outcome)
  if (outcomes.map((outcome, i) => report(orders[i]!, outcome, took, tell)).includes(false)) throw new Reported()
}

/** Say what became of the order; false if nothing of it was taken. */
function report(order: OrderRequest & { market: Market }, outcome: Outcome | null, tookMs: number | null, tell: Tell): boolean {
  const { market } = order
  const px = (value: number | string): string => fmtPx(value, market.szDecimals)
  const size = (value: number): string => fmt(value, 0, market.szDecimals)
  const what = `${order.isBuy ? 'Buy' : 'Sell'} ${order.sz} ${market.name}`
  const tier = tookMs === null ? 'as the chain says' : `preconfirmed ${tookMs} ms`
  if (outcome === null || outcome.error !== null) {
    tell('bad', outcome === null ? `${what}: not placed` : `${what} refused`, outcome === null ? NEVER : inWords(outcome.error))
    return false
  }
  const { filled, averagePx, isResting } = outcome
  const at = averagePx === null ? '' : `at ${px(averagePx)}`
  const done = `${order.isBuy ? 'Bought' : 'Sold'} ${size(filled)}`
  if (filled >= Number(order.sz)) tell('good', `${done} ${market.name}`, `${at} · ${tier}`)
  else if (isResting && filled > 0) tell('notice', `${done} of ${order.sz} ${market.name}`, `${at}; the rest waits in the book at ${px(order.px)} · ${tier}`)
  else if (isResting) tell('plain', `${what} placed`, `at ${px(order.px)} · ${tier}`)
  else if (filled > 0) tell('notice', `${done} of ${order.sz} ${market.name}`, `${at}; the rest was ${ending(order.tif, px(order.px))} · ${tier}`)
  else tell('notice', `${what}: nothing filled`, 'The order has ended without a trade.')
  return true
}

function ending(tif: Tif, limit: string): string {
  return tif === 'Alo' ? 'refused: earlier orders were in its way' : `cancelled: nothing more within the limit of ${limit}`
}

function statuses(answer: ExchangeAnswer): OrderStatus[] {
  return typeof answer.response === 'object' ? (answer.response.data?.statuses ?? []) : []
}

export function cancel(orders: readonly OpenOrder[]): Promise<boolean> {
  return attempt('Cancel refused', async (tell) => {
    const cancels = orders.flatMap(({ coin, oid }) => {
      const market = markets.named(coin)
      return market ? [{ asset: market.index, oid }] : []
    })
    if (cancels.length === 0) return
    const told = statuses(await session.act(cancelAction(cancels)))
    const faults = told.flatMap((status) => (typeof status === 'object' && 'error' in status ? [status.error] : []))
    const done = told.length - faults.length
    if (faults.length > 0) throw new Error(done > 0 ? `${done} of ${told.length} cancelled; of the others: ${inWords(faults[0])}` : faults[0])
    tell('plain', done === 1 ? 'Order cancelled' : `${done} orders cancelled`)
  })
}

export async function closeAtMarket(positions: readonly Position[]): Promise<boolean> {
  const problem = marketProblem()
  if (problem !== null) {
    ui.toast('bad', 'Not closed', problem)
    return false
  }
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
  announce(makerFillsOf(session.address).news(fills), teller())
}

function announce(fills: readonly Fill[], tell: Tell): void {
  for (const { done, at } of summed(fills, () => '')) tell('good', `Resting order ${done}`, at)
}

/** The exchange closed a position of the trader's: say which, and why. */
export function announceForcedFills(fills: readonly Fill[]): void {
  for (const { why, done, at } of summed(fills, (fill) => forced(fill)!)) {
    ui.toast(why === 'Liquidated' ? 'bad' : 'notice', `${why}: ${done}`, `${at}, closed by the exchange`)
  }
}

/** In words, what fills of the same reason, market and side come to. */
function summed(fills: readonly Fill[], reason: (fill: Fill) => string): { why: string; done: string; at: string }[] {
  const groups = new Map<string, Fill[]>()
  const key = (fill: Fill): string => `${reason(fill)}/${fill.coin}/${fill.side}`
  for (const fill of fills) groups.set(key(fill), [...(groups.get(key(fill)) ?? []), fill])
  return [...groups.values()].map((all) => {
    const { coin, side } = all[0]!
    const size = all.reduce((sum, fill) => sum + Number(fill.sz), 0)
    const px = all.reduce((sum, fill) => sum + Number(fill.px) * Number(fill.sz), 0) / size
    const szDecimals = markets.named(coin)?.szDecimals ?? 0
    return { why: reason(all[0]!), done: `${side === 'B' ? 'bought' : 'sold'} ${fmt(size, 0, szDecimals)} ${coin}`, at: `at ${fmtPx(px, szDecimals)}` }
  })
}

export function setLeverage(coin: string, leverage: number): Promise<boolean> {
  return attempt('Leverage not changed', async (tell) => {
    await session.act(leverageAction(markets.named(coin)!.index, leverage))
    tell('good', `${coin} leverage is ${fmt(leverage, 0)}×`)
  })
}
