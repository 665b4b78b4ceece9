// An account, as the node streams it.
//
// The node sends each part whole at first and again when a batch touched it; fills, funding and transfers come as a
// snapshot and then one by one. Profit is computed here against the newest mark price, so it moves in between.

import { createContext } from 'svelte'
import { SvelteSet } from 'svelte/reactivity'
import { forced } from '../core/fills.ts'
import { trim } from '../core/numbers.ts'
import type { ActiveAssetData, ClearinghouseState, Fill, FundingRow, LedgerUpdate, OpenOrder, UserFees } from '../core/shapes.ts'
import type { Listing } from '../market/listing.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import { poll } from '../node/poll.ts'
import { rowNames } from './ledger.ts'

const FEES_POLL_MS = 300_000
const HISTORY_ROWS = 500
/** Asked about while nobody is connected: the chain then tells what holds for a new account. */
export const NOBODY = '0x0000000000000000000000000000000000000000'

/** Streams of an account, each told whole at first. */
export type Part = 'clearinghouseState' | 'openOrders' | 'userFills' | 'userFundings' | 'userNonFundingLedgerUpdates'

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

/** Positions at the newest marks. */
export function positionsOf(listing: Listing, summary: ClearinghouseState): Position[] {
  return summary.assetPositions.map(({ position }) => {
    const size = Number(position.szi)
    const entryPx = Number(position.entryPx ?? 0)
    const markPx = listing.markOf(position.coin) ?? Math.abs(Number(position.positionValue) / size)
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
  })
}

export class Account {
  address = $state<string | null>(null)
  summary = $state.raw<ClearinghouseState | null>(null)
  orders = $state.raw<OpenOrder[]>([])
  fills = $state.raw<Fill[]>([])
  fundings = $state.raw<FundingRow[]>([])
  ledger = $state.raw<LedgerUpdate[]>([])
  fees = $state.raw<UserFees>({ userCrossRate: '0.00045', userAddRate: '0.00015' })

  /** Parts that the node has told of this account: of the others nothing is known, which is not that they are empty. */
  #told = new SvelteSet<Part>()

  /** By market: leverage set on the chain, and what can be traded with it. */
  tradable = $state<Record<string, ActiveAssetData>>({})
  /** Called with fills of resting orders as they happen. */
  onMakerFills: (fills: Fill[]) => void = () => undefined
  /** Called with fills that no order of the account caused. */
  onForcedFills: (fills: Fill[]) => void = () => undefined

  readonly #node: NodeClient
  readonly #listing: Listing

  constructor(node: NodeClient, listing: Listing) {
    this.#node = node
    this.#listing = listing
  }

  positions: Position[] = $derived(this.summary ? this.positionsOf(this.summary) : [])

  positionsOf(summary: ClearinghouseState): Position[] {
    return positionsOf(this.#listing, summary)
  }

  get unrealisedPnl(): number {
    return this.positions.reduce((sum, position) => sum + position.pnl, 0)
  }

  /** Equity at the newest marks: the snapshot's, moved by what the marks did since. */
  get equity(): number {
    if (!this.summary) return 0
    const then = this.summary.assetPositions.reduce((sum, { position }) => sum + Number(position.unrealizedPnl), 0)
    return Number(this.summary.marginSummary.accountValue) + this.unrealisedPnl - then
  }

  knows(part: Part): boolean {
    return this.#told.has(part)
  }

  /** Whether positions and orders are known as they are now: what closes everything must not believe older ones. */
  get isCurrent(): boolean {
    const user = this.address
    return (['clearinghouseState', 'openOrders'] as const).every((type) => this.knows(type) && this.#node.feed.isTaken({ type, user }))
  }

  /** Whether the exchange knows the account: it arises with the first deposit. */
  get isFunded(): boolean {
    return Number(this.summary?.marginSummary.accountValue ?? 0) !== 0
  }

  /** Whether it is known that the exchange does not know it. */
  get isNew(): boolean {
    return this.summary !== null && !this.isFunded
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
    $effect.root(() => {
      $effect(() => {
        const user = this.address
        this.#forget()
        if (!user) return
        const stops = this.#follow(user)
        stops.push(poll(() => this.#loadFees(user), FEES_POLL_MS))
        return () => stops.forEach((stop) => stop())
      })
    })
  }

  /** Follow leverage, and what can be traded with it, in that market; of nobody what holds for a new account. */
  followTradable(coinNow: () => string): void {
    $effect.root(() => {
      $effect(() => {
        const [user, coin] = [this.address ?? NOBODY, coinNow()]
        return this.#node.feed.subscribe({ type: 'activeAssetData', user, coin }, (data) => {
          const message = data as ActiveAssetData & { user: string }
          if (message.user.toLowerCase() === user && (this.address ?? NOBODY) === user) this.tradable[message.coin] = message
        })
      })
    })
  }

  /** The account's state once, without waiting for the stream. */
  async load(): Promise<void> {
    const user = this.address
    const summary = await this.#node.http.info<ClearinghouseState>('clearinghouseState', { user })
    if (this.address !== user) return
    this.summary = summary
    this.#told.add('clearinghouseState')
  }

  #follow(user: string): (() => void)[] {
    const on = <T>(type: Part, take: (data: T) => void): (() => void) =>
      this.#node.feed.subscribe({ type, user }, (data) => {
        const owner = (data as { user?: string }).user
        if (this.address !== user || (owner !== undefined && owner.toLowerCase() !== user)) return
        take(data as T)
        this.#told.add(type)
      })
    return [
      on<{ clearinghouseState: ClearinghouseState }>('clearinghouseState', (data) => (this.summary = data.clearinghouseState)),
      on<{ orders: OpenOrder[] }>('openOrders', (data) => (this.orders = data.orders)),
      on<History & { fills: Fill[] }>('userFills', (data) => {
        const known = data.isSnapshot ? [] : this.fills
        this.fills = merged(known, data.fills, fillKey)
        const news = data.isSnapshot ? [] : data.fills
        const made = news.filter((fill) => !fill.crossed && forced(fill) === null)
        if (made.length > 0) this.onMakerFills(made)
        const closed = news.filter((fill) => forced(fill) !== null)
        if (closed.length > 0) this.onForcedFills(closed)
      }),
      on<History & { fundings: FundingRow[] }>('userFundings', (data) => {
        this.fundings = merged(data.isSnapshot ? [] : this.fundings, data.fundings, ({ time, coin }) => `${time}/${coin}`)
      }),
      on<History & { nonFundingLedgerUpdates: LedgerUpdate[] }>('userNonFundingLedgerUpdates', (data) => {
        this.ledger = mergedRows(data.isSnapshot ? [] : this.ledger, data.nonFundingLedgerUpdates)
      }),
    ]
  }

  async #loadFees(user: string): Promise<void> {
    const fees = await this.#node.http.info<UserFees>('userFees', { user })
    if (this.address === user) this.fees = fees
  }

  #forget(): void {
    this.#told.clear()
    this.summary = null
    this.orders = []
    this.fills = []
    this.fundings = []
    this.ledger = []
    this.tradable = {}
  }
}

export const [getAccount, setAccount] = createContext<Account>()

export const fillKey = (fill: Fill): string => `${fill.tid}/${fill.oid}`

interface History {
  isSnapshot: boolean
}

/** As `merged`, of rows without a name: those of one message that say the very same are as many rows. */
function mergedRows(known: LedgerUpdate[], fresh: LedgerUpdate[]): LedgerUpdate[] {
  const names = new Map([fresh, known].flatMap((rows) => rowNames(rows).map((name, i) => [rows[i]!, name] as const)))
  return merged(known, fresh, (row) => names.get(row)!)
}

/** Newest first, each row once: a snapshot and the news after it may overlap. */
function merged<T extends { time: number }>(known: T[], fresh: T[], key: (row: T) => string): T[] {
  const rows = new Map<string, T>()
  for (const row of [...fresh, ...known]) rows.set(key(row), row)
  return [...rows.values()].sort((a, b) => b.time - a.time).slice(0, HISTORY_ROWS)
}
