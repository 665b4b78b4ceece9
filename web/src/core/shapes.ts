// What the node answers, as far as the pages read it. Numbers are decimal strings, times are milliseconds.

export interface Universe {
  universe: { name: string; szDecimals: number; maxLeverage: number; isDelisted?: boolean }[]
}

export interface AssetCtx {
  funding: string
  openInterest: string
  prevDayPx: string
  dayNtlVlm: string
  premium: string | null
  oraclePx: string
  markPx: string
  midPx: string | null
}

export interface BookLevel {
  px: string
  sz: string
  n: number
}

export interface BookMessage {
  coin: string
  time: number
  levels: [BookLevel[], BookLevel[]]
}

export interface Trade {
  coin: string
  side: 'A' | 'B'
  px: string
  sz: string
  time: number
  hash: string
  tid: number
}

export interface CandleMessage {
  t: number
  s: string
  i: string
  o: string
  h: string
  l: string
  c: string
  v: string
}

export interface PositionMessage {
  coin: string
  szi: string
  entryPx: string | null
  leverage: { type: string; value: number }
  liquidationPx: string | null
  marginUsed: string
  positionValue: string
  unrealizedPnl: string
  maxLeverage: number
  cumFunding: { sinceOpen: string }
}

export interface ClearinghouseState {
  assetPositions: { position: PositionMessage }[]
  marginSummary: { accountValue: string; totalNtlPos: string; totalRawUsd: string; totalMarginUsed: string }
  crossMaintenanceMarginUsed: string
  withdrawable: string
  time: number
}

export interface OpenOrder {
  coin: string
  side: 'A' | 'B'
  limitPx: string
  sz: string
  origSz: string
  oid: number
  timestamp: number
  orderType?: string
  tif?: string | null
  reduceOnly?: boolean
}

/** What orderStatus says of an order that the chain knows. */
export interface FoundOrder {
  order: OpenOrder & { cloid: string | null }
  status: string
}

export interface OrderStatusAnswer {
  status: 'order' | 'unknownOid'
  order?: FoundOrder
}

export interface NamedAgent {
  name: string
  address: string
  validUntil: number
}

export interface Fill {
  coin: string
  px: string
  sz: string
  side: 'A' | 'B'
  time: number
  dir: string
  closedPnl: string
  hash: string
  oid: number
  crossed: boolean
  fee: string
  tid: number
  liquidation?: unknown
}

export interface FundingRow {
  time: number
  coin: string
  usdc: string
  szi: string
  fundingRate: string
}

export interface LedgerUpdate {
  time: number
  hash: string
  delta: { type: string; usdc?: string; amount?: string; token?: string; destination?: string; user?: string; unclaimed?: boolean }
}

export interface ActiveAssetData {
  coin: string
  leverage: { type: string; value: number }
  /** Greatest size and free margin for a buy and a sell. */
  maxTradeSzs: [string, string]
  availableToTrade: [string, string]
}

export interface UserFees {
  userCrossRate: string
  userAddRate: string
}

export interface ExchangeAnswer {
  status: 'ok' | 'err'
  response: string | { type: string; data?: { statuses: OrderStatus[] } }
}

export type OrderStatus =
  | string
  | { resting: { oid: number } }
  | { filled: { oid: number; totalSz: string; avgPx: string } }
  | { error: string }

/** What accountProof answers: docs/protocol/account-proofs.md. */
export interface AccountProof {
  blockNumber: number
  header: `0x${string}`
  extension: { batch: number; batchHash: `0x${string}`; exchangeRoot: `0x${string}`; forcedRoot: `0x${string}` }
  effectsHash: `0x${string}`
  roots: Record<'accounts' | 'markets' | 'unclaimed' | 'globals', `0x${string}`>
  account: {
    number: number
    places: number
    leaf: `0x${string}`
    orders: { oid: number; leaf: `0x${string}` }[]
    path: `0x${string}`[]
  }
}
