// Actions as the exchange reads them. The order of keys is part of what is signed: do not sort them.

import type { Packable } from './msgpack.ts'
import { isValidPx, isValidSz, wire } from './numbers.ts'

export type Tif = 'Gtc' | 'Ioc' | 'Alo'

export interface OrderRequest {
  asset: number
  isBuy: boolean
  px: string
  sz: string
  reduceOnly: boolean
  tif: Tif
  szDecimals: number
  /** The client's own order id: 0x and 32 hex digits. */
  cloid?: string
}

export function orderAction(orders: readonly OrderRequest[]): Packable {
  return {
    type: 'order',
    orders: orders.map((order) => {
      if (!isValidPx(order.px, order.szDecimals)) throw new RangeError(`price ${order.px} does not fit the tick rule`)
      if (!isValidSz(order.sz, order.szDecimals)) throw new RangeError(`size ${order.sz} does not fit the lot size`)
      return {
        a: order.asset,
        b: order.isBuy,
        p: wire(order.px),
        s: wire(order.sz),
        r: order.reduceOnly,
        t: { limit: { tif: order.tif } },
        ...(order.cloid === undefined ? {} : { c: order.cloid }),
      }
    }),
    grouping: 'na',
  }
}

export function cancelAction(cancels: readonly { asset: number; oid: number }[]): Packable {
  return { type: 'cancel', cancels: cancels.map(({ asset, oid }) => ({ a: asset, o: oid })) }
}

export function leverageAction(asset: number, leverage: number, isCross = true): Packable {
  return { type: 'updateLeverage', asset, isCross, leverage }
}
