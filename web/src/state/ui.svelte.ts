// What is open on the screen: route, tabs, dialogs, toasts.

export type Tone = 'good' | 'bad' | 'plain'

export interface Toast {
  id: number
  tone: Tone
  title: string
  text: string
  hash: string | null
}

export type DialogName = 'connect' | 'leverage' | 'transfer' | 'agent' | 'help' | 'flatten' | 'markets'
export type PhoneTab = 'chart' | 'book' | 'trade' | 'positions' | 'account'

export type Theme = 'dark' | 'light'

const THEME_KEY = 'coinone.theme'
const TOAST_MS = 6000
const MAX_TOASTS = 4

class UiState {
  route = $state(parseRoute())
  dialog = $state<DialogName | null>(null)
  phoneTab = $state<PhoneTab>('chart')
  toasts = $state<Toast[]>([])
  /** A second hand for countdowns and ages. */
  nowMs = $state(Date.now())
  theme = $state<Theme>(localStorage.getItem(THEME_KEY) === 'light' ? 'light' : 'dark')

  #lastToast = 0

  constructor() {
    document.documentElement.dataset.theme = this.theme // before anything is drawn
  }

  start(): void {
    window.addEventListener('hashchange', () => (this.route = parseRoute()))
    setInterval(() => (this.nowMs = Date.now()), 1000)
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    document.documentElement.dataset.theme = theme
    localStorage.setItem(THEME_KEY, theme)
  }

  toast(tone: Tone, title: string, text = '', hash: string | null = null): void {
    const id = ++this.#lastToast
    this.toasts = [...this.toasts, { id, tone, title, text, hash }].slice(-MAX_TOASTS)
    setTimeout(() => this.dismiss(id), tone === 'bad' ? TOAST_MS * 1.5 : TOAST_MS)
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }
}

export interface Route {
  page: 'trade' | 'block' | 'batch' | 'tx' | 'account' | 'explorer'
  argument: string
}

function parseRoute(): Route {
  const [page = '', argument = ''] = location.hash.replace(/^#\/?/, '').split('/')
  if (page === 'block' || page === 'batch' || page === 'tx' || page === 'account' || page === 'explorer') return { page, argument }
  return { page: 'trade', argument: '' }
}

export const ui = new UiState()
