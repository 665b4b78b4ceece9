// One market that is looked at: which one it is, its prices, book and trades. A page makes as many as it shows.

import { createContext } from 'svelte'
import { num } from '../core/numbers.ts'
import type { AssetCtx } from '../core/shapes.ts'
import type { NodeClient } from '../node/client.ts'
import { Book } from './book.svelte.ts'
import type { Listed, Listing } from './listing.svelte.ts'

export class Market {
  coin = $state('')
  readonly listing: Listing
  readonly book: Book
  readonly #node: NodeClient

  constructor(node: NodeClient, listing: Listing, coin: string) {
    this.#node = node
    this.listing = listing
    this.coin = coin
    this.book = new Book(node, () => this.coin)
  }

  get listed(): Listed | null {
    return this.listing.named(this.coin) ?? this.listing.all[0] ?? null
  }

  get szDecimals(): number {
    return this.listed?.szDecimals ?? 5
  }

  get markPx(): number | null {
    return num(this.listed?.ctx.markPx)
  }

  start(): void {
    $effect.root(() => {
      $effect(() => {
        const { all } = this.listing
        if (all.length > 0 && !this.listing.named(this.coin)) this.coin = all[0]!.name
      })
      $effect(() => {
        const coin = this.coin
        return this.#node.feed.subscribe({ type: 'activeAssetCtx', coin }, (data) => {
          const message = data as { coin: string; ctx: AssetCtx }
          this.listing.update(message.coin, message.ctx)
        })
      })
    })
    this.book.start()
  }
}

/** The market that the screen is about. */
export const [getMarket, setMarket] = createContext<Market>()
