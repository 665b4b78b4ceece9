// The trader's account as the node sees it.
//
// The node's snapshot is the truth; messages about orders and fills only say that it is time to fetch it again.
// Profit is computed here against the newest mark price, so it moves between snapshots.

import { feed } from '../net/feed.svelte.ts'
import { info } from '../net/http.ts'
import type { ActiveAssetData, ClearinghouseState, Fill, FundingPayment, LedgerUpdate, OpenOrder, UserFees } from '../net/shapes.ts'
import { trim } from '../lib/numbers.ts'
import { markets } from './markets.svelte.ts'

const POLL_MS = 3000
const SETTLE_MS = 60
const HISTORY_MS = 30 * 24 * 3600 * 1000

export interface Position {
  coin: string
  size: number
  szi: string
  entryPx: number
  markPx: number
  value: number
  pnl: number
  roe: number
  liquidationPx: number | null
  margin: number
  leverage: number
  isCross: boolean
  funding: number
}

class AccountState {
  address = $state<string | null>(null)
  summary = $state.raw<ClearinghouseState | null>(null)
  orders = $state.raw<OpenOrder[]>([])
  fills = $state.raw<Fill[]>([])
  fundings = $state.raw<FundingPayment[]>([])
  ledger = $state.raw<LedgerUpdate[]>([])
  fees = $state.raw<UserFees>({ userCrossRate: '0.00045', userAddRate: '0.00015' })

  /** Leverage set on the chain, by market. */
  leverages = $state<Record<string, number>>({})

  #timer = 0

  positions: Position[] = $derived.by(() =>
    (this.summary?.assetPositions ?? []).map(({ position }) => {
      const size = Number(position.szi)
      const entryPx = Number(position.entryPx ?? 0)
      const markPx = markets.markOf(position.coin) ?? Math.abs(Number(position.positionValue) / size)
      const value = Math.abs(size) * markPx
      const pnl = size * (markPx - entryPx)
      const margin = Number(position.marginUsed)
      const initial = (Math.abs(size) * entryPx) / position.leverage.value
      return {
        coin: position.coin,
        size,
        szi: trim(position.szi),
        entryPx,
        markPx,
        value,
        pnl,
        roe: initial > 0 ? pnl / initial : 0,
        liquidationPx: position.liquidationPx === null ? null : Number(position.liquidationPx),
        margin,
        leverage: position.leverage.value,
        isCross: position.leverage.type === 'cross',
        funding: Number(position.cumFunding?.sinceOpen ?? 0),
      }
    }),
  )

  get unrealisedPnl(): number {
    return this.positions.reduce((sum, position) => sum + position.pnl, 0)
  }

  /** Equity at the newest marks: the snapshot's, moved by what the marks did since. */
  get equity(): number {
    if (!this.summary) return 0
    const then = this.summary.assetPositions.reduce((sum, { position }) => sum + Number(position.unrealizedPnl), 0)
    return Number(this.summary.marginSummary.accountValue) + this.unrealisedPnl - then
  }

  /** Whether the exchange knows the account: it arises with the first deposit. */
  get isFunded(): boolean {
    return Number(this.summary?.marginSummary.accountValue ?? 0) !== 0
  }

  get maintenance(): number {
    return Number(this.summary?.crossMaintenanceMarginUsed ?? 0)
  }

  get marginUsed(): number {
    return Number(this.summary?.marginSummary.totalMarginUsed ?? 0)
  }

  get withdrawable(): number {
    return Number(this.summary?.withdrawable ?? 0)
  }

  positionIn(coin: string): Position | null {
    return this.positions.find((position) => position.coin === coin) ?? null
  }

  start(): void {
    setInterval(() => {
      if (!document.hidden) this.refresh()
    }, POLL_MS)
    $effect.root(() => {
      $effect(() => {
        const user = this.address
        this.#forget()
        if (!user) return
        const soon = (): void => this.refresh()
        const stops = ['orderUpdates', 'userFills', 'userFundings', 'userNonFundingLedgerUpdates'].map((type) =>
          feed.subscribe({ type, user }, soon),
        )
        void this.load()
        return () => stops.forEach((stop) => stop())
      })
      $effect(() => {
        void markets.coin
        if (feed.generation > 0) this.refresh()
      })
    })
  }

  /** Fetch soon; many messages of one batch cause one fetch. */
  refresh(): void {
    if (this.#timer === 0) this.#timer = window.setTimeout(() => void this.load(), SETTLE_MS)
  }

  async load(): Promise<void> {
    this.#timer = 0
    const user = this.address
    if (!user) return
    const coin = markets.coin
    const since = { user, startTime: Date.now() - HISTORY_MS }
    const keep = <T>(wanted: Promise<T>, put: (value: T) => void): Promise<void> =>
      wanted.then((value) => {
        if (this.address === user) put(value)
      }, ignore)
    await Promise.all([
      keep(info<ClearinghouseState>('clearinghouseState', { user }), (value) => (this.summary = value)),
      keep(info<OpenOrder[]>('frontendOpenOrders', { user }), (value) => (this.orders = value)),
      keep(info<Fill[]>('userFills', { user }), (value) => (this.fills = value)),
      keep(info<FundingPayment[]>('userFunding', since), (value) => (this.fundings = newestFirst(value))),
      keep(info<LedgerUpdate[]>('userNonFundingLedgerUpdates', since), (value) => (this.ledger = newestFirst(value))),
      keep(info<ActiveAssetData>('activeAssetData', { user, coin }), (value) => (this.leverages[coin] = value.leverage.value)),
      keep(info<UserFees>('userFees', { user }), (value) => (this.fees = value)),
    ])
  }

  #forget(): void {
    this.summary = null
    this.orders = []
    this.fills = []
    this.fundings = []
    this.ledger = []
    this.leverages = {}
  }
}

function newestFirst<T extends { time: number }>(rows: T[]): T[] {
  return [...rows].sort((a, b) => b.time - a.time)
}

function ignore(): void {
  // One panel without data must not empty the others; the next poll tries again.
}

export const account = new AccountState()
