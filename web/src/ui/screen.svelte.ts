// What lies over every page of the screen: dialogs, toasts, the theme and a second hand.

import { createContext } from 'svelte'

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
export type Theme = 'dark' | 'light'

const THEME_KEY = 'coinone.theme'
const KEYS_KEY = 'coinone.keys'
const TOAST_MS = 6000
const LONG_TOAST_MS = 15_000 // what went wrong takes longer to read
const MAX_TOASTS = 4

export class Screen {
  dialog = $state<DialogName | null>(null)
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

export const [getScreen, setScreen] = createContext<Screen>()
