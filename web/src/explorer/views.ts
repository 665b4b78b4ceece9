// From the explorer's JSON to what a person reads: a few facts in order, and tables of what belongs to them.

import { fmt, fromUnits } from '../core/numbers.ts'
import { short } from '../core/short.ts'

type Json = Record<string, unknown>

export interface View {
  facts: Json
  tables: { title: string; rows: Json[] }[]
  raw?: unknown
}

/** The name of a market by the chain's number of it, where it is known. */
export type NameOf = (asset: number) => string | undefined

export interface Head {
  lastBatch: number
}

export function viewOf(page: string, found: Json, head: Head | null, nameOf: NameOf): View {
  if (page === 'block') return blockView(found)
  if (page === 'batch') return batchView(found, head, nameOf)
  if (page === 'account') return accountView(found, nameOf)
  return found.kind === 'ethereum' ? ethereumView(found) : actionView(found, head, nameOf)
}

function blockView(found: Json): View {
  const ethereum = found.ethereum as Json & { transactions: Json[] }
  const facts = {
    number: found.number,
    blockHash: found.hash,
    parentHash: ethereum.parentHash,
    time: found.time,
    batches: `${fmt(found.batches as number, 0)} (${found.firstBatch} to ${found.lastBatch})`,
    gas: `${fmt(found.gasUsed as number, 0)} of ${fmt(Number(ethereum.gasLimit), 0)}`,
    stateRoot: ethereum.stateRoot,
    exchangeRoot: found.exchangeRoot,
  }
  const batches = (found.batchList as Json[]).map(({ seq, time, transactions }) => ({ batch: seq, time, transactions }))
  const transactions = ethereum.transactions.map(({ hash, from, to, value }) => ({ hash, from, to, value: coin(value) }))
  return { facts, tables: [{ title: 'Ethereum transactions', rows: transactions }, { title: 'Batches', rows: batches }] }
}

function batchView(found: Json, head: Head | null, nameOf: NameOf): View {
  const facts = {
    batch: found.height,
    batchHash: found.hash,
    time: found.blockTime,
    finality: finality(found.height as number, head),
    baseBlock: found.baseBlock,
    proposer: found.proposer,
    seed: found.seed,
  }
  const rows = (found.txs as Json[]).map(({ hash, user, action }) => ({
    hash: (action as Json).type === 'oracle' ? short(String(hash)) : hash, // prices have no page of their own
    user,
    action: describe(action as Json, nameOf),
  }))
  return { facts, tables: [{ title: 'Transactions', rows }] }
}

function actionView(found: Json, head: Head | null, nameOf: NameOf): View {
  const facts = {
    hash: found.hash,
    signer: found.user,
    what: describe(found.action as Json, nameOf),
    batch: found.block,
    time: found.time,
    finality: finality(found.block as number, head),
    outcome: found.status,
    answer: answers(found.response),
    nonce: found.nonce,
  }
  return { facts, tables: [], raw: found.action }
}

function ethereumView(found: Json): View {
  const transaction = found.transaction as Json
  const receipt = found.receipt as Json & { logs: Json[] }
  const facts = {
    hash: found.hash,
    status: receipt.status === '0x1' ? 'success' : 'failed',
    block: found.block,
    time: found.time,
    from: transaction.from,
    to: transaction.to ?? receipt.contractAddress,
    value: coin(transaction.value),
    gasUsed: fmt(Number(receipt.gasUsed), 0),
    nonce: Number(transaction.nonce),
    input: transaction.input,
  }
  const logs = receipt.logs.map(({ address, topics, data }) => ({ address, topics, data }))
  return { facts, tables: [{ title: 'Logs', rows: logs }] }
}

function accountView(found: Json, nameOf: NameOf): View {
  const exchange = found.exchange as Json & { marginSummary: Json; assetPositions: { position: Json }[] }
  const facts = {
    address: found.address,
    kind: found.isContract ? 'contract' : found.isTrader ? 'trader' : 'key',
    equity: `${fmt(exchange.marginSummary.accountValue as string)} USDC`,
    withdrawable: `${fmt(exchange.withdrawable as string)} USDC`,
    gasCoin: coin(found.balance),
    nonce: found.nonce,
  }
  const positions = exchange.assetPositions.map(({ position }) => ({
    market: position.coin,
    size: position.szi,
    entry: position.entryPx,
    value: position.positionValue,
    unrealised: position.unrealizedPnl,
    liquidation: position.liquidationPx,
  }))
  const orders = (found.openOrders as Json[]).map((order) => ({
    market: order.coin,
    side: order.side === 'B' ? 'buy' : 'sell',
    price: order.limitPx,
    size: order.sz,
    time: order.timestamp,
  }))
  const recent = (found.recent as Json[]).map(({ hash, time, action }) => ({ hash, time, action: describe(action as Json, nameOf) }))
  return {
    facts,
    tables: [
      { title: 'Positions', rows: positions },
      { title: 'Open orders', rows: orders },
      { title: 'Recent', rows: recent },
    ],
  }
}

/** What the chain answered to each part of an action. */
function answers(response: unknown): string {
  const statuses = (response as { data?: { statuses?: unknown[] } } | null)?.data?.statuses ?? []
  return statuses.map((status) => {
    const { filled, resting, error } = (typeof status === 'object' && status !== null ? status : {}) as { filled?: Json; resting?: Json; error?: string }
    if (filled) return `order ${filled.oid}: filled ${filled.totalSz} at ${filled.avgPx}`
    if (resting) return `order ${resting.oid}: in the book`
    return error ? `refused: ${error}` : String(status)
  }).join('; ')
}

function finality(seq: number, head: Head | null): string {
  return head === null ? '' : seq <= head.lastBatch ? 'included' : 'preconfirmed'
}

function coin(wei: unknown): string {
  return `${fromUnits(BigInt(String(wei ?? 0)), 18)} BTC`
}

/** One line that says what an action does. */
export function describe(action: Json, nameOf: NameOf): string {
  const name = (asset: unknown): string => nameOf(Number(asset)) ?? `market ${String(asset)}`
  const list = (rows: unknown, line: (row: Json) => string): string => {
    const all = Array.isArray(rows) ? (rows as Json[]) : []
    return all.slice(0, 3).map(line).join(', ') + (all.length > 3 ? ` and ${all.length - 3} more` : '')
  }
  switch (action.type) {
    case 'order':
      return list(action.orders, (o) => `${o.b ? 'buy' : 'sell'} ${o.s} ${name(o.a)} at ${o.p}`)
    case 'batchModify':
      return list(action.modifies, ({ order }) => {
        const o = order as Json
        return `move to ${o.b ? 'buy' : 'sell'} ${o.s} ${name(o.a)} at ${o.p}`
      })
    case 'cancel':
      return list(action.cancels, (c) => `cancel ${name(c.a)} order ${c.o}`)
    case 'cancelByCloid':
      return list(action.cancels, (c) => `cancel ${name(c.asset)} order`)
    case 'updateLeverage':
      return `${name(action.asset)} leverage ${action.leverage}×`
    case 'fill':
      return `${String(action.dir).toLowerCase()} ${action.sz} ${action.coin} at ${action.px}`
    case 'oracle':
      return `oracle ${list(action.prices, (pair) => name((pair as unknown as unknown[])[0]))}`
    case 'approveAgent':
      return 'allow a trading key'
    default:
      return [action.type, action.amount ?? action.usdc].filter(Boolean).join(' ')
  }
}
