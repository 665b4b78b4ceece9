// A trading desk: one trader before one market, with the order being written, its estimates and the commands.

import { createContext } from 'svelte'
import type { Market } from '../market/market.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import type { Trader } from '../trader/trader.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import { Estimates } from './estimates.ts'
import { Orders } from './orders.ts'
import { Ticket } from './ticket.svelte.ts'

export type PhoneTab = 'chart' | 'book' | 'trade' | 'positions' | 'account'

const REMEMBERED = 'coinone.market'
const FIRST = 'BTC'

export class Desk {
  /** What a phone shows of it. */
  phoneTab = $state<PhoneTab>('chart')
  readonly market: Market
  readonly ticket: Ticket
  readonly estimates: Estimates
  readonly orders: Orders
  readonly #trader: Trader

  constructor(node: NodeClient, market: Market, trader: Trader, screen: Screen) {
    this.market = market
    this.#trader = trader
    this.ticket = new Ticket(node, market, trader.account)
    this.estimates = new Estimates(this.ticket, market, trader.account)
    this.orders = new Orders(node, market, trader, screen)
  }

  start(): void {
    const { account } = this.#trader
    account.onMakerFills = (fills) => this.orders.announceMakerFills(fills)
    account.onForcedFills = (fills) => this.orders.announceForcedFills(fills)
    account.followTradable(() => this.market.coin)
  }

  /** Go to another market: what was written for this one does not fit there. */
  choose(coin: string): void {
    if (coin === this.market.coin) return
    this.market.coin = coin
    localStorage.setItem(REMEMBERED, coin)
    this.ticket.px = ''
    this.ticket.clear()
  }
}

/** The market that was chosen last in this browser. */
export const rememberedCoin = (): string => localStorage.getItem(REMEMBERED) ?? FIRST

export const [getDesk, setDesk] = createContext<Desk>()
