// Keys that work anywhere on the trading page, except while typing (only Ctrl+Enter and Escape do then).

import { tick } from 'svelte'
import { session } from '../account/session.svelte.ts'
import { ticket } from '../trade/ticket.svelte.ts'
import { ui } from '../ui/ui.svelte.ts'

export const SHORTCUTS: [string, string][] = [
  ['B S', 'Buy or sell side'],
  ['M L', 'Market or limit order'],
  ['1 2 3 4', '25, 50, 75, 100% of the greatest size'],
  ['↑ ↓', 'In the price field: one tick, with Shift ten'],
  ['Ctrl Enter', 'Send the order'],
  ['Esc', 'Clear the order'],
  ['X', 'Cancel all open orders (asks first)'],
  ['F', 'Flatten: close everything (asks first)'],
  ['/', 'Choose a market'],
  ['?', 'This list'],
]

export function onKey(event: KeyboardEvent): void {
  if (ui.dialog !== null || ui.route.page !== 'trade' || event.repeat) return
  const target = event.target as HTMLElement
  const typing = target.matches('input:not([type=checkbox]):not([type=range]), select, textarea')
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault()
    document.querySelector<HTMLFormElement>('form[aria-label="Order"]')?.requestSubmit()
  } else if (event.key === 'Escape') {
    ticket.clear()
    target.blur()
  } else if (ui.hasLetterKeys && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) press(event)
}

function press(event: KeyboardEvent): void {
  const command = COMMANDS[event.key.toLowerCase()]
  if (!command) return
  event.preventDefault()
  command()
}

const focus = (id: string): void => void tick().then(() => document.getElementById(id)?.focus())

const COMMANDS: Record<string, () => void> = {
  b: () => { ticket.isBuy = true; focus('ticket-amount') },
  s: () => { ticket.isBuy = false; focus('ticket-amount') },
  m: () => { ticket.kind = 'market'; focus('ticket-amount') },
  l: () => { ticket.kind = 'limit'; focus('ticket-px') },
  '1': () => ticket.setPercent(25),
  '2': () => ticket.setPercent(50),
  '3': () => ticket.setPercent(75),
  '4': () => ticket.setPercent(100),
  x: () => { if (session.agent) ui.dialog = 'cancel-all' }, // also with an empty list: the stream may lag behind
  f: () => { if (session.agent) ui.dialog = 'flatten' },
  '/': () => { ui.dialog = 'markets' },
  '?': () => { ui.dialog = 'help' },
}
