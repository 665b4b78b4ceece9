// What is open on the screen: route, tabs, dialogs, toasts.

/** `warn`: not known; `notice`: known, and not all that was asked for. */
export type Tone = 'good' | 'bad' | 'warn' | 'notice' | 'plain'

export interface Toast {
  id: number
  tone: Tone
  title: string
  text: string
  hash: string | null
}

export type DialogName = 'connect' | 'leverage' | 'transfer' | 'agent' | 'help' | 'flatten' | 'cancel-all' | 'markets'
export type PhoneTab = 'chart' | 'book' | 'trade' | 'positions' | 'account'

export type Theme = 'dark' | 'light'

const THEME_KEY = 'coinone.theme'
const KEYS_KEY = 'coinone.keys'
const TOAST_MS = 6000
const LONG_TOAST_MS = 15_000 // what went wrong takes longer to read
const MAX_TOASTS = 4

class UiState {
  route = $state(parseRoute())
  dialog = $state<DialogName | null>(null)
  phoneTab = $state<PhoneTab>('chart')
  toasts = $state<Toast[]>([])
  /** A second hand for countdowns and ages. */
  nowMs = $state(Date.now())
  theme = $state<Theme>(localStorage.getItem(THEME_KEY) === 'light' ? 'light' : 'dark')

  /** Whether single keys are commands; people who dictate to a computer need them off. */
  hasLetterKeys = $state(localStorage.getItem(KEYS_KEY) !== 'off')

  #lastToast = 0

  constructor() {
    document.documentElement.dataset.theme = this.theme // before anything is drawn
  }

  start(): void {
    window.addEventListener('hashchange', () => (this.route = parseRoute()))
    setInterval(() => (this.nowMs = Date.now()), 1000)
  }

  setLetterKeys(on: boolean): void {
    this.hasLetterKeys = on
    localStorage.setItem(KEYS_KEY, on ? 'on' : 'off')
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    document.documentElement.dataset.theme = theme
    localStorage.setItem(THEME_KEY, theme)
  }

  toast(tone: Tone, title: string, text = '', hash: string | null = null): void {
    const id = this.#show(tone, title, text, hash)
    setTimeout(() => this.dismiss(id), tone === 'bad' || tone === 'warn' || tone === 'notice' ? LONG_TOAST_MS : TOAST_MS)
  }

  /** A toast that stays until the function that is returned takes it away. */
  standing(tone: Tone, title: string, text = ''): () => void {
    const id = this.#show(tone, title, text, null)
    return () => this.dismiss(id)
  }

  #show(tone: Tone, title: string, text: string, hash: string | null): number {
    const id = ++this.#lastToast
    this.toasts = [...this.toasts, { id, tone, title, text, hash }].slice(-MAX_TOASTS)
    return id
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }
}

export interface Route {
  page: 'trade' | 'block' | 'batch' | 'tx' | 'account' | 'order' | 'explorer' | 'nowhere'
  argument: string
  /** Why there is nothing to show, in words; empty if there may be. */
  problem: string
}

const NUMBER = /^\d{1,15}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const ADDRESS = /^0x[0-9a-fA-F]{40}$/
/** What stands behind each page's name in the address, and what is said if it does not. */
const ARGUMENTS: [Route['page'], (text: string) => boolean, string][] = [
  ['block', (text) => text === 'latest' || NUMBER.test(text) || HASH.test(text), 'A block is named by its number or its hash (0x and 64 digits).'],
  ['batch', (text) => NUMBER.test(text), 'A batch is named by its number.'],
  ['tx', (text) => HASH.test(text), 'A transaction is named by its hash: 0x and 64 digits.'],
  ['account', (text) => ADDRESS.test(text), 'An account is named by its address: 0x and 40 digits.'],
  ['order', (text) => /^0x[0-9a-fA-F]{40}\/\d{1,15}$/.test(text), 'An order is named by its account and its number.'],
  ['explorer', (text) => text === '', 'There is no such page.'],
  ['trade', (text) => text === '', 'There is no such page.'],
]

function parseRoute(): Route {
  const [name = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/')
  const argument = rest.join('/')
  const known = ARGUMENTS.find(([page]) => page === (name || 'trade'))
  if (!known) return { page: 'nowhere', argument, problem: 'There is no such page.' }
  const [page, fits, otherwise] = known
  return { page, argument, problem: fits(argument) ? '' : otherwise }
}

export const ui = new UiState()
