// Every page of the site: how its address looks, what its title is, and where its code lies.
//
// A page's code is loaded when it is first gone to. What is behind the name in the address is checked here, so a page is
// shown only for an address that can lead somewhere; all others are told why not.

import type { Component } from 'svelte'
import { fmtPx } from '../core/numbers.ts'
import { short } from '../core/short.ts'
import type { Market } from '../market/market.svelte.ts'

/** A page is given its name and the part of the address behind it, and need not take them. */
export type View = Component<{ page: string; argument: string }> | Component

interface Page {
  name: string
  title: string
  /** Whether an address with that behind the name can lead somewhere; what is said if not. */
  takes: (argument: string) => boolean
  otherwise: string
  load: () => Promise<{ default: View }>
}

const NUMBER = /^\d{1,15}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const ORDER = /^0x[0-9a-fA-F]{40}\/\d{1,15}$/
const NO_PAGE = 'There is no such page.'

const trade = () => import('../trade/Trade.svelte')
const explorer = () => import('../explorer/Explorer.svelte')
const nothing = (argument: string): boolean => argument === ''

const PAGES: readonly Page[] = [
  { name: 'trade', title: 'Trade', takes: nothing, otherwise: NO_PAGE, load: trade },
  { name: 'explorer', title: 'Explorer', takes: nothing, otherwise: NO_PAGE, load: explorer },
  {
    name: 'block', title: 'Block', load: explorer,
    takes: (text) => text === 'latest' || NUMBER.test(text) || HASH.test(text),
    otherwise: 'A block is named by its number or its hash (0x and 64 digits).',
  },
  { name: 'batch', title: 'Batch', takes: (text) => NUMBER.test(text), otherwise: 'A batch is named by its number.', load: explorer },
  { name: 'tx', title: 'Transaction', takes: (text) => HASH.test(text), otherwise: 'A transaction is named by its hash: 0x and 64 digits.', load: explorer },
  { name: 'account', title: 'Account', takes: (text) => ADDRESS.test(text), otherwise: 'An account is named by its address: 0x and 40 digits.', load: explorer },
  { name: 'order', title: 'Order', takes: (text) => ORDER.test(text), otherwise: 'An order is named by its account and its number.', load: explorer },
  { name: 'kit', title: 'Kit', takes: nothing, otherwise: NO_PAGE, load: () => import('../ui/Gallery.svelte') },
]

export interface Route {
  /** The page to show; null where the address leads nowhere. */
  page: Page | null
  argument: string
  /** Why there is nothing to show, in words; empty if there may be. */
  problem: string
}

export function routeOf(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  const argument = rest.join('/')
  const page = PAGES.find((each) => each.name === (name || 'trade'))
  if (page?.takes(argument)) return { page, argument, problem: '' }
  return { page: null, argument, problem: page?.otherwise ?? NO_PAGE }
}

/** The title of the tab: traders read the price there, also of a tab in the background. */
export function titleOf({ page, argument }: Route, market: Market): string {
  const { listed } = market
  if (page === null) return 'Nothing here · Coinone'
  if (page.name === 'trade') return listed ? `${fmtPx(market.markPx, listed.szDecimals)} · ${listed.name} · Coinone` : 'Coinone'
  const named = argument.split('/').map((part) => (part.length > 16 ? short(part) : part)).join(' ')
  return `${page.title} ${named}`.trim() + ' · Coinone'
}

/** Where the browser stands. */
export class Router {
  route = $state.raw(routeOf(location.hash))

  start(): void {
    window.addEventListener('hashchange', () => (this.route = routeOf(location.hash)))
  }
}
