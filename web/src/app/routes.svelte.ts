// Every page of the site: how its address looks, what its title is, and where its code lies.
//
// A page's code is loaded when it is first gone to. What is behind the name in the address is checked here, so a page is
// shown only for an address that can lead somewhere; all others are told why not.

import type { Component } from 'svelte'
import { fmtPx } from '../core/numbers.ts'
import { short } from '../core/short.ts'
import { t, type Key } from '../i18n/locale.svelte.ts'
import type { Market } from '../market/market.svelte.ts'

/** A page is given its name and the part of the address behind it, and need not take them. */
export type View = Component<{ page: string; argument: string }> | Component

interface Page {
  name: string
  title: Key
  /** Whether an address with that behind the name can lead somewhere; what is said if not. */
  takes: (argument: string) => boolean
  otherwise: Key
  load: () => Promise<{ default: View }>
}

const NUMBER = /^\d{1,15}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const ORDER = /^0x[0-9a-fA-F]{40}\/\d{1,15}$/
const NO_PAGE = 'route.noPage'

const trade = () => import('../trade/Trade.svelte')
const explorer = () => import('../explorer/Explorer.svelte')
const nothing = (argument: string): boolean => argument === ''

const PAGES: readonly Page[] = [
  { name: 'trade', title: 'app.trade', takes: nothing, otherwise: NO_PAGE, load: trade },
  { name: 'explorer', title: 'app.explorer', takes: nothing, otherwise: NO_PAGE, load: explorer },
  {
    name: 'block', title: 'route.block', load: explorer,
    takes: (text) => text === 'latest' || NUMBER.test(text) || HASH.test(text),
    otherwise: 'route.block.needs',
  },
  { name: 'batch', title: 'route.batch', takes: (text) => NUMBER.test(text), otherwise: 'route.batch.needs', load: explorer },
  { name: 'tx', title: 'route.tx', takes: (text) => HASH.test(text), otherwise: 'route.tx.needs', load: explorer },
  { name: 'account', title: 'route.account', takes: (text) => ADDRESS.test(text), otherwise: 'route.account.needs', load: explorer },
  { name: 'order', title: 'route.order', takes: (text) => ORDER.test(text), otherwise: 'route.order.needs', load: explorer },
  {
    name: 'proof', title: 'proof.title', load: () => import('../proof/Proof.svelte'),
    takes: (text) => text === '' || ADDRESS.test(text), otherwise: 'route.account.needs',
  },
  { name: 'kit', title: 'route.kit', takes: nothing, otherwise: NO_PAGE, load: () => import('../ui/Gallery.svelte') },
]

export interface Route {
  /** The page to show; null where the address leads nowhere. */
  page: Page | null
  argument: string
  /** Why there is nothing to show; null if there may be. */
  problem: Key | null
}

export function routeOf(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  const argument = rest.join('/')
  const page = PAGES.find((each) => each.name === (name || 'trade'))
  if (page?.takes(argument)) return { page, argument, problem: null }
  return { page: null, argument, problem: page?.otherwise ?? NO_PAGE }
}

/** The title of the tab: traders read the price there, also of a tab in the background. */
export function titleOf({ page, argument }: Route, market: Market): string {
  const { listed } = market
  if (page === null) return `${t('app.nothingHere')} · Coinone`
  if (page.name === 'trade') return listed ? `${fmtPx(market.markPx, listed.szDecimals)} · ${listed.name} · Coinone` : 'Coinone'
  const named = argument.split('/').map((part) => (part.length > 16 ? short(part) : part)).join(' ')
  return `${t(page.title)} ${named}`.trim() + ' · Coinone'
}

/** Where the browser stands. */
export class Router {
  route = $state.raw(routeOf(location.hash))

  start(): void {
    window.addEventListener('hashchange', () => (this.route = routeOf(location.hash)))
  }
}
