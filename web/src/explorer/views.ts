// From the explorer's JSON to what a person reads: a few facts in order, and tables of what belongs to them.

import { fmt, fmtSigned, fromUnits } from '../core/numbers.ts'
import { short } from '../core/short.ts'
import type { Facts } from './facts.ts'
import { t, type Key } from './strings.ts'

type Json = Record<string, unknown>

export interface View {
  facts: Facts
  tables: { title: string; rows: Facts[] }[]
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
    batches: t('explorer.batchRange', { n: fmt(found.batches as number, 0), first: String(found.firstBatch), last: String(found.lastBatch) }),
    gas: t('explorer.gasOf', { used: fmt(found.gasUsed as number, 0), limit: fmt(Number(ethereum.gasLimit), 0) }),
    stateRoot: ethereum.stateRoot,
    exchangeRoot: found.exchangeRoot,
  }
  const batches = (found.batchList as Json[]).map(({ seq, time, transactions }) => ({ batch: seq, time, transactions }))
  const transactions = ethereum.transactions.map(({ hash, from, to, value }) => ({ hash, from, to, value: coin(value) }))
  return { facts, tables: [{ title: t('explorer.ethereumTransactions'), rows: transactions }, { title: t('explorer.batches'), rows: batches }] }
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
  return { facts, tables: [{ title: t('explorer.transactions'), rows }] }
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
  return { facts, tables: [{ title: t('explorer.logs'), rows: logs }] }
}

function accountView(found: Json, nameOf: NameOf): View {
  const exchange = found.exchange as Json & { marginSummary: Json; assetPositions: { position: Json }[] }
  const facts = {
    address: found.address,
    kind: t(found.isContract ? 'explorer.is.contract' : found.isTrader ? 'explorer.is.trader' : 'explorer.is.key'),
    equity: `${fmt(exchange.marginSummary.accountValue as string)} USDC`,
    withdrawable: `${fmt(exchange.withdrawable as string)} USDC`,
    gasCoin: coin(found.balance),
    nonce: found.nonce,
  }
  const positions = exchange.assetPositions.map(({ position }) => ({
    market: position.coin,
    size: position.szi,
    entry: number(position.entryPx),
    value: fmt(position.positionValue as string),
    unrealised: fmtSigned(position.unrealizedPnl as string),
    liquidation: number(position.liquidationPx),
  }))
  const orders = (found.openOrders as Json[]).map((order) => ({
    market: order.coin,
    side: order.side === 'B' ? 'buy' : 'sell',
    price: number(order.limitPx),
    size: order.sz,
    time: order.timestamp,
  }))
  const recent = (found.recent as Json[]).map(({ hash, time, action }) => ({ hash, time, action: describe(action as Json, nameOf) }))
  return {
    facts,
    tables: [
      { title: t('account.positions'), rows: positions },
      { title: t('account.orders'), rows: orders },
      { title: t('explorer.recent'), rows: recent },
    ],
  }
}

/** What the chain answered to each part of an action. */
function answers(response: unknown): string {
  const statuses = (response as { data?: { statuses?: unknown[] } } | null)?.data?.statuses ?? []
  return statuses.map((status) => {
    const { filled, resting, error } = (typeof status === 'object' && status !== null ? status : {}) as { filled?: Json; resting?: Json; error?: string }
    if (filled) return t('explorer.answer.filled', { oid: String(filled.oid), size: String(filled.totalSz), px: number(filled.avgPx) })
    if (resting) return t('explorer.answer.resting', { oid: String(resting.oid) })
    return error ? t('explorer.answer.refused', { error }) : String(status)
  }).join('; ')
}

function finality(seq: number, head: Head | null): string {
  return head === null ? '' : seq <= head.lastBatch ? 'included' : 'preconfirmed'
}

/** A price with all of its digits; nothing where there is none. */
function number(text: unknown): string {
  return text === null ? '' : fmt(text as string, 0, 8)
}

function coin(wei: unknown): string {
  return `${fromUnits(BigInt(String(wei ?? 0)), 18)} BTC`
}

/** One line that says what an action does. */
export function describe(action: Json, nameOf: NameOf): string {
  const coin = (asset: unknown): string => nameOf(Number(asset)) ?? t('market.numbered', { n: String(asset) })
  const order = (o: Json, buy: Key, sell: Key): string => t(o.b ? buy : sell, { size: String(o.s), coin: coin(o.a), px: number(o.p) })
  switch (action.type) {
    case 'order':
      return list(action.orders, (o) => order(o, 'explorer.do.buy', 'explorer.do.sell'))
    case 'modify':
      return order(action.order as Json, 'explorer.do.moveBuy', 'explorer.do.moveSell')
    case 'batchModify':
      return list(action.modifies, (modify) => order(modify.order as Json, 'explorer.do.moveBuy', 'explorer.do.moveSell'))
    case 'cancel':
      return list(action.cancels, (c) => t('explorer.do.cancel', { coin: coin(c.a), oid: String(c.o) }))
    case 'cancelByCloid':
      return list(action.cancels, (c) => t('explorer.do.cancelByCloid', { coin: coin(c.asset) }))
    case 'cancelAllByMarket':
      return t('explorer.do.cancelAll', { coin: coin(action.a) })
    case 'scheduleCancel':
      return t('explorer.do.scheduleCancel')
    case 'updateLeverage':
      return t('explorer.do.leverage', { coin: coin(action.asset), leverage: String(action.leverage) })
    case 'fill':
      return t('explorer.do.fill', { direction: String(action.dir).toLowerCase(), size: String(action.sz), coin: String(action.coin), px: number(action.px) })
    case 'oracle':
      return t('explorer.do.oracle', { coins: list(action.prices, (pair) => coin((pair as unknown as unknown[])[0])) })
    case 'approveAgent':
      return t('explorer.do.allowKey')
    default:
      return [action.type, action.amount ?? action.usdc].filter(Boolean).join(' ')
  }
}

/** The first three rows in words, and how many more there are. */
function list(rows: unknown, line: (row: Json) => string): string {
  const all = Array.isArray(rows) ? (rows as Json[]) : []
  const first = all.slice(0, 3).map(line).join(', ')
  return all.length > 3 ? t('explorer.do.more', { list: first, n: all.length - 3 }) : first
}
