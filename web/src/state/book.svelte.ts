// The chosen market's book and tape.
//
// Messages may come faster than the screen draws: they are kept outside of reactive state and shown once per frame.

import { feed } from '../net/feed.svelte.ts'
import type { BookMessage, Trade } from '../net/shapes.ts'
import type { Level } from '../lib/estimate.ts'
import { markets } from './markets.svelte.ts'
import { network } from './network.svelte.ts'

const TAPE_LENGTH = 60

class BookState {
  bids = $state.raw<Level[]>([])
  asks = $state.raw<Level[]>([])
  tape = $state.raw<Trade[]>([])
  /** Significant digits that prices are grouped to; null shows every level. */
  nSigFigs = $state<number | null>(null)

  #message: BookMessage | null = null
  #newTrades: Trade[] = []
  #frame = 0

  get bestBid(): number | null {
    return this.bids[0]?.px ?? null
  }

  get bestAsk(): number | null {
    return this.asks[0]?.px ?? null
  }

  get mid(): number | null {
    return this.bestBid !== null && this.bestAsk !== null ? (this.bestBid + this.bestAsk) / 2 : null
  }

  start(): void {
    $effect.root(() => {
      $effect(() => this.#follow(markets.coin, this.nSigFigs))
      $effect(() => {
        const coin = markets.coin
        this.tape = []
        this.#newTrades = []
        return feed.subscribe({ type: 'trades', coin }, (data) => this.#addTrades(coin, data as Trade[]))
      })
    })
  }

  #follow(coin: string, nSigFigs: number | null): () => void {
    this.bids = []
    this.asks = []
    this.#message = null
    return feed.subscribe({ type: 'l2Book', coin, ...(nSigFigs ? { nSigFigs } : {}) }, (data) => {
      const message = data as BookMessage
      if (message.coin !== coin) return
      this.#message = message
      network.heard(message.time)
      this.#schedule()
    })
  }

  #addTrades(coin: string, trades: Trade[]): void {
    this.#newTrades.push(...trades.filter((trade) => trade.coin === coin))
    this.#schedule()
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    if (this.#message) {
      const [bids, asks] = this.#message.levels
      const number = ({ px, sz }: { px: string; sz: string }): Level => ({ px: Number(px), sz: Number(sz) })
      this.bids = bids.map(number)
      this.asks = asks.map(number)
      this.#message = null
    }
    if (this.#newTrades.length > 0) {
      const seen = new Set(this.tape.map((trade) => trade.tid))
      const fresh = this.#newTrades.filter((trade) => !seen.has(trade.tid)).sort((a, b) => b.time - a.time || b.tid - a.tid)
      this.tape = [...fresh, ...this.tape].slice(0, TAPE_LENGTH)
      this.#newTrades = []
    }
  }
}

export const book = new BookState()
