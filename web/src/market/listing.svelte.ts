// The markets of a node: what can be traded, and each one's prices, funding and open interest.

import { createContext } from 'svelte'
import { num } from '../core/numbers.ts'
import type { AssetCtx, Universe } from '../core/shapes.ts'
import type { NodeClient } from '../node/client.ts'
import { poll } from '../node/poll.ts'

export interface Listed {
  index: number
  name: string
  szDecimals: number
  maxLeverage: number
  ctx: AssetCtx
}

const POLL_MS = 300_000 // which markets there are; prices come by streams

export class Listing {
  /** Whether prices of other markets than the chosen one are looked at. */
  wantsAll = $state(false)
  all = $state.raw<Listed[]>([])
  readonly #node: NodeClient

  constructor(node: NodeClient) {
    this.#node = node
  }

  named(coin: string): Listed | null {
    return this.all.find((market) => market.name === coin) ?? null
  }

  /** By the chain's number, which is no place in the list: delisted markets are not in it. */
  at(index: number): Listed {
    return this.all.find((market) => market.index === index)!
  }

  markOf(coin: string): number | null {
    return num(this.named(coin)?.ctx.markPx)
  }

  start(): void {
    $effect.root(() => {
      const connection = $derived(Math.max(1, this.#node.feed.generation))
      $effect(() => {
        void connection
        return poll(() => this.#load(), POLL_MS)
      })
      $effect(() => {
        if (!this.wantsAll) return
        return this.#node.feed.subscribe({ type: 'assetCtxs', dex: '' }, (data) => {
          const { ctxs } = data as { ctxs: AssetCtx[] }
          this.all = this.all.map((market) => ({ ...market, ctx: ctxs[market.index] ?? market.ctx }))
        })
      })
    })
  }

  async #load(): Promise<void> {
    const [meta, contexts] = await this.#node.http.info<[Universe, AssetCtx[]]>('metaAndAssetCtxs')
    this.all = meta.universe.flatMap(({ name, szDecimals, maxLeverage, isDelisted }, index) => {
      const ctx = contexts[index]
      return ctx && !isDelisted ? [{ index, name, szDecimals, maxLeverage, ctx }] : []
    })
  }

  update(coin: string, ctx: AssetCtx): void {
    this.all = this.all.map((market) => (market.name === coin ? { ...market, ctx } : market))
  }
}

export const [getListing, setListing] = createContext<Listing>()
