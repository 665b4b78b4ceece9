// From the address in the browser to the page that it names, and what the tab is called.

import { fmtPx } from '../core/numbers.ts'
import { short } from '../core/short.ts'
import { say, t, type Text } from '../i18n/locale.svelte.ts'
import type { Market } from '../market/market.svelte.ts'
import { PAGES, type Page } from './pages.ts'

const HOME = 'trade'
const isNothing = (argument: string): boolean => argument === ''

/** The pages that have a link in the header. */
export const ENTRIES = PAGES.filter(({ name, under }) => under === name)

/** The address of a page without anything behind its name. */
export const addressOf = ({ name }: Page): string => (name === HOME ? '#/' : `#/${name}`)

export interface Route {
  /** The page to show; null where the address leads nowhere. */
  page: Page | null
  argument: string
  /** What an address of a page that is there must look like; null if that is not what is wrong. */
  needs: Text | null
}

export function routeOf(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  const argument = rest.join('/')
  const page = PAGES.find((each) => each.name === (name || HOME))
  if (page && (page.takes ?? isNothing)(argument)) return { page, argument, needs: null }
  return { page: null, argument, needs: page?.needs ?? null }
}

/** The title of the tab: traders read the price there, also of a tab in the background. */
export function titleOf({ page, argument }: Route, market: Market): string {
  const { listed } = market
  if (page === null) return `${t('app.nothingHere')} · Coinone`
  if (page.name === HOME) return listed ? `${fmtPx(market.markPx, listed.szDecimals)} · ${listed.name} · Coinone` : 'Coinone'
  const named = argument.split('/').map((part) => (part.length > 16 ? short(part) : part)).join(' ')
  return `${say(page.title)} ${named}`.trim() + ' · Coinone'
}

/** Where the browser stands. */
export class Router {
  route = $state.raw(routeOf(location.hash))

  start(): void {
    window.addEventListener('hashchange', () => (this.route = routeOf(location.hash)))
  }
}
