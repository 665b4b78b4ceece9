// The markets: what can be traded, and each one's prices, funding and open interest.

import { feed } from '../node/feed.svelte.ts'
import { info } from '../node/http.ts'
import type { AssetCtx, Universe } from '../core/shapes.ts'
import { poll } from '../node/poll.ts'
import { num } from '../core/numbers.ts'

export interface Market {
  index: number
  name: string
  szDecimals: number
  maxLeverage: number
  ctx: AssetCtx
}

const POLL_MS = 300_000 // which markets there are; prices come by streams
const REMEMBERED = 'coinone.market'

class MarketsState {
  /** Whether prices of other markets than the chosen one are looked at. */
  wantsAll = $state(false)
  all = $state.raw<Market[]>([])
  coin = $state(localStorage.getItem(REMEMBERED) ?? 'BTC')

  get current(): Market | null {
    return this.all.find((market) => market.name === this.coin) ?? this.all[0] ?? null
  }

  get szDecimals(): number {
    return this.current?.szDecimals ?? 5
  }

  get markPx(): number | null {
    return num(this.current?.ctx.markPx)
  }

  named(coin: string): Market | null {
    return this.all.find((market) => market.name === coin) ?? null
  }

  /** By the chain's number, which is no place in the list: delisted markets are not in it. */
  at(index: number): Market {
    return this.all.find((market) => market.index === index)!
  }

  markOf(coin: string): number | null {
    return num(this.named(coin)?.ctx.markPx)
  }

  select(coin: string): void {
    this.coin = coin
    localStorage.setItem(REMEMBERED, coin)
  }

  start(): void {
    $effect.root(() => {
      const connection = $derived(Math.max(1, feed.generation))
      $effect(() => {
        void connection
        return poll(() => this.#load(), POLL_MS)
      })
      $effect(() => {
        if (!this.wantsAll) return
        return feed.subscribe({ type: 'assetCtxs', dex: '' }, (data) => {
          const { ctxs } = data as { ctxs: AssetCtx[] }
          this.all = this.all.map((market) => ({ ...market, ctx: ctxs[market.index] ?? market.ctx }))
        })
      })
      $effect(() => {
        const coin = this.coin
        return feed.subscribe({ type: 'activeAssetCtx', coin }, (data) => {
          const message = data as { coin: string; ctx: AssetCtx }
          this.#update(message.coin, message.ctx)
        })
      })
    })
  }

  async #load(): Promise<void> {
    const [meta, contexts] = await info<[Universe, AssetCtx[]]>('metaAndAssetCtxs')
    this.all = meta.universe.flatMap(({ name, szDecimals, maxLeverage, isDelisted }, index) => {
      const ctx = contexts[index]
      return ctx && !isDelisted ? [{ index, name, szDecimals, maxLeverage, ctx }] : []
    })
    if (this.all.length > 0 && !this.named(this.coin)) this.coin = this.all[0]!.name
  }

  #update(coin: string, ctx: AssetCtx): void {
    this.all = this.all.map((market) => (market.name === coin ? { ...market, ctx } : market))
  }
}

export const markets = new MarketsState()
