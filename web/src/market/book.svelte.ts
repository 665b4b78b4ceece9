// A market's book and tape: the book as it is, by which prices are taken and orders estimated, and the ladder,
// which is the same book or a coarser view of it for the eye.
//
// Messages may come faster than the screen draws: they are kept outside of reactive state and shown once per frame.
// A message names its coin but not its grouping, so a grouped ladder comes over a socket of its own.

import type { Level } from '../core/estimate.ts'
import { wire } from '../core/numbers.ts'
import type { BookLevel, BookMessage, Trade } from '../core/shapes.ts'
import type { NodeClient } from '../node/client.ts'
import type { Feed } from '../node/feed.svelte.ts'

const TAPE_LENGTH = 60
/** Levels a side that the node tells. */
export const LEVELS = 20

/** A price level with its price as the node wrote it: that is what is shown, and what a click takes over. */
export interface PriceLevel extends Level {
  text: string
}

interface Sides {
  bids: PriceLevel[]
  asks: PriceLevel[]
}

/** Before the first message; a book that holds nothing is another. */
const UNKNOWN: Sides = { bids: [], asks: [] }

export class Book {
  tape = $state.raw<Trade[]>([])
  /** Significant digits that the ladder is grouped to; null shows every level. */
  nSigFigs = $state<number | null>(null)

  #whole = $state.raw<Sides>(UNKNOWN)
  #grouped = $state.raw<Sides>(UNKNOWN)
  #groupedFeed = $state.raw<Feed | null>(null)
  #newWhole: BookMessage | null = null
  #newGrouped: BookMessage | null = null
  #newTrades: Trade[] = []
  #frame = 0
  readonly #node: NodeClient
  readonly #coin: () => string

  constructor(node: NodeClient, coin: () => string) {
    this.#node = node
    this.#coin = coin
  }

  get bids(): PriceLevel[] {
    return this.#whole.bids
  }

  get asks(): PriceLevel[] {
    return this.#whole.asks
  }

  get ladder(): Sides {
    if (this.nSigFigs === null) return this.#whole
    return this.#groupedFeed?.state === 'open' ? this.#grouped : UNKNOWN
  }

  /** Whether the node has told the book of this market, and the ladder as it is grouped: else neither is known. */
  get isKnown(): boolean {
    return this.#whole !== UNKNOWN && this.ladder !== UNKNOWN
  }

  /** Whether the node has told the trades: of a market without any it sends nothing. */
  get isTapeKnown(): boolean {
    return this.tape.length > 0 || this.#node.feed.isTaken({ type: 'trades', coin: this.#coin() })
  }

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
      $effect(() => {
        const coin = this.#coin()
        this.#whole = UNKNOWN
        this.#newWhole = null
        return this.#follow(this.#node.feed, { coin }, (message) => (this.#newWhole = message))
      })
      $effect(() => {
        const [coin, nSigFigs] = [this.#coin(), this.nSigFigs]
        this.#grouped = UNKNOWN
        this.#newGrouped = null
        if (nSigFigs === null) return
        const own = this.#node.feed.beside()
        own.start()
        this.#groupedFeed = own
        const stop = this.#follow(own, { coin, nSigFigs }, (message) => (this.#newGrouped = message))
        return () => {
          stop()
          own.stop()
        }
      })
      $effect(() => {
        const coin = this.#coin()
        this.tape = []
        this.#newTrades = []
        return this.#node.feed.subscribe({ type: 'trades', coin }, (data) => this.#addTrades(coin, data as Trade[]))
      })
    })
  }

  #follow(from: Feed, what: { coin: string; nSigFigs?: number }, take: (message: BookMessage) => void): () => void {
    return from.subscribe({ type: 'l2Book', ...what }, (data) => {
      const message = data as BookMessage
      if (message.coin !== what.coin) return
      take(message)
      if (from === this.#node.feed) this.#node.network.streamed(message.time)
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
    if (this.#newWhole) this.#whole = sides(this.#newWhole)
    if (this.#newGrouped) this.#grouped = sides(this.#newGrouped)
    this.#newWhole = this.#newGrouped = null
    if (this.#newTrades.length > 0) {
      const seen = new Set(this.tape.map((trade) => trade.tid))
      const fresh = this.#newTrades.filter((trade) => !seen.has(trade.tid)).sort((a, b) => b.time - a.time || b.tid - a.tid)
      this.tape = [...fresh, ...this.tape].slice(0, TAPE_LENGTH)
      this.#newTrades = []
    }
  }
}

function sides({ levels: [bids, asks] }: BookMessage): Sides {
  const level = ({ px, sz }: BookLevel): PriceLevel => ({ px: Number(px), sz: Number(sz), text: wire(px) })
  return { bids: bids.map(level), asks: asks.map(level) }
}
