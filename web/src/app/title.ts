// The title of the tab, from the page that is shown: traders read the price there, also of a tab in the background.

import { fmtPx } from '../core/numbers.ts'
import { short } from '../core/short.ts'
import { markets } from '../market/markets.svelte.ts'
import { ui, type Route } from '../ui/ui.svelte.ts'

export const PAGE_NAMES: Record<Route['page'], string> = {
  trade: 'Trade',
  block: 'Block',
  batch: 'Batch',
  tx: 'Transaction',
  account: 'Account',
  order: 'Order',
  explorer: 'Explorer',
  nowhere: 'Nothing here',
}

export function title(): string {
  const { page, argument, problem } = ui.route
  const market = markets.current
  if (page === 'trade' && market) return `${fmtPx(markets.markPx, market.szDecimals)} · ${market.name} · Coinone`
  if (page === 'trade') return 'Coinone'
  if (problem) return `${PAGE_NAMES.nowhere} · Coinone`
  const named = argument.split('/').map((part) => (part.length > 16 ? short(part) : part)).join(' ')
  return `${PAGE_NAMES[page]} ${named}`.trim() + ' · Coinone'
}
