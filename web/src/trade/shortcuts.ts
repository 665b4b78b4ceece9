// Keys that work anywhere on the trading page, except while typing (only Ctrl+Enter and Escape do then).

import { tick } from 'svelte'
import type { Key } from '../i18n/locale.svelte.ts'
import type { Session } from '../trader/session.svelte.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import type { Ticket } from './ticket.svelte.ts'

export const SHORTCUTS: [string, Key][] = [
  ['B S', 'keys.side'],
  ['M L', 'keys.kind'],
  ['1 2 3 4', 'keys.share'],
  ['↑ ↓', 'keys.tick'],
  ['Ctrl Enter', 'keys.send'],
  ['Esc', 'keys.clear'],
  ['X', 'keys.cancelAll'],
  ['F', 'keys.flatten'],
  ['/', 'keys.market'],
  ['?', 'keys.list'],
]

const focus = (id: string): void => void tick().then(() => document.getElementById(id)?.focus())

/** What answers keys while the trading page is shown. */
export function shortcuts(ticket: Ticket, session: Session, screen: Screen): (event: KeyboardEvent) => void {
  const commands = commandsOf(ticket, session, screen)
  return (event) => {
    if (screen.dialog !== null || event.repeat) return
    const target = event.target as HTMLElement
    const typing = target.matches('input:not([type=checkbox]):not([type=range]), select, textarea')
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      document.querySelector<HTMLFormElement>('form#ticket')?.requestSubmit()
    } else if (event.key === 'Escape') {
      ticket.clear()
      target.blur()
    } else if (screen.hasLetterKeys && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const command = commands[event.key.toLowerCase()]
      if (!command) return
      event.preventDefault()
      command()
    }
  }
}

function commandsOf(ticket: Ticket, session: Session, screen: Screen): Record<string, () => void> {
  return {
    b: () => { ticket.isBuy = true; focus('ticket-amount') },
    s: () => { ticket.isBuy = false; focus('ticket-amount') },
    m: () => { ticket.kind = 'market'; focus('ticket-amount') },
    l: () => { ticket.kind = 'limit'; focus('ticket-px') },
    '1': () => ticket.setPercent(25),
    '2': () => ticket.setPercent(50),
    '3': () => ticket.setPercent(75),
    '4': () => ticket.setPercent(100),
    x: () => { if (session.agent) screen.dialog = 'cancel-all' }, // also with an empty list: the stream may lag behind
    f: () => { if (session.agent) screen.dialog = 'flatten' },
    '/': () => { screen.dialog = 'markets' },
    '?': () => { screen.dialog = 'help' },
  }
}
