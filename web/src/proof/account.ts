// Checking a proof of an account, from its leaf up to the hash of a block, as docs/protocol/account-proofs.md says. Nothing
// that the node says of the account is taken on trust; whether the block is the chain's, another node has to say.

import { concat, fromRlp, keccak256, numberToHex, size, slice, stringToHex, toRlp, type Hex } from 'viem'
import type { AccountProof } from '../core/shapes.ts'

/** What is shown one after the other, each of the one before. */
export const STEPS = ['orders', 'tree', 'exchange', 'header', 'owner'] as const
export type Step = (typeof STEPS)[number]

/** In the chain's units: money in 10^-6 quote, prices and sizes in those of the market. */
export interface ProvenAccount {
  cash: bigint
  positions: { market: number; size: bigint; entryNotional: bigint }[]
  orders: { oid: number; market: number; isBuy: boolean; px: bigint; size: bigint }[]
}

export interface Checked {
  blockNumber: number
  blockHash: Hex
  /** The first step that does not hold; null if the account is proven. */
  failed: Step | null
  account: ProvenAccount
}

const NOTHING: Hex = `0x${'00'.repeat(32)}`
const ORDER_BYTES = 104
const COLUMN = 8 // bytes, big endian, signed
const [NUMBER, EXTRA_DATA] = [8, 12] // places in an Ethereum header
const [ORDER_PX, ORDER_SIZE, ORDER_MARKET, ORDER_SIDE] = [0, 1, 7, 8]

/** Raises Error where the answer cannot be read at all. */
export function check(proof: AccountProof, user: string): Checked {
  const header = fromRlp(proof.header, 'hex') as Hex[]
  const [address, row, positions] = fromRlp(proof.account.leaf, 'hex') as unknown as [Hex, Hex, [Hex, Hex][]]
  const holds: Record<Step, () => boolean> = {
    orders: () => areInOrder(proof.account.orders),
    tree: () => treeRoot(proof.account) === proof.roots.accounts,
    exchange: () => exchangeRoot(proof) === proof.extension.exchangeRoot,
    header: () => extensionHash(proof.extension) === header[EXTRA_DATA] && int(header[NUMBER]!) === proof.blockNumber,
    owner: () => address === user.toLowerCase(),
  }
  return {
    blockNumber: int(header[NUMBER]!),
    blockHash: keccak256(proof.header),
    failed: STEPS.find((step) => !holds[step]()) ?? null,
    account: {
      cash: column(row, 0),
      positions: positions.map(([market, columns]) => ({ market: int(market), size: column(columns, 0), entryNotional: column(columns, 1) })),
      orders: proof.account.orders.map(({ oid, leaf }) => ({
        oid,
        market: Number(column(leaf, ORDER_MARKET)),
        isBuy: column(leaf, ORDER_SIDE) === 0n,
        px: column(leaf, ORDER_PX),
        size: column(leaf, ORDER_SIZE),
      })),
    },
  }
}

/** Each order once, by rising number: so none can be hidden behind another. */
function areInOrder(orders: AccountProof['account']['orders']): boolean {
  return orders.every(({ oid, leaf }, i) => size(leaf) === ORDER_BYTES && (i === 0 || orders[i - 1]!.oid < oid))
}

/** The root of the tree of accounts in which this one stands at its number. */
function treeRoot({ number, places, leaf, orders, path }: AccountProof['account']): Hex | null {
  if (!(number >= 0 && number < places) || path.length !== bitLength(places - 1)) return null
  const listed = orders.length === 0 ? NOTHING : keccak256(concat(orders.flatMap(({ oid, leaf: order }) => [u64(oid), order])))
  let node = keccak256(concat(['0x00', toRlp([leaf, listed])]))
  path.forEach((sibling, height) => {
    const isRight = ((BigInt(number) >> BigInt(height)) & 1n) === 1n
    node = keccak256(concat(isRight ? ['0x01', sibling, node] : ['0x01', node, sibling]))
  })
  return keccak256(concat(['0x02', u64(places), node]))
}

function exchangeRoot({ roots, effectsHash }: AccountProof): Hex {
  const rows = keccak256(concat([stringToHex('coinone-rows'), roots.accounts, roots.markets, roots.unclaimed, roots.globals]))
  return keccak256(concat([stringToHex('coinone-exchange'), rows, effectsHash]))
}

function extensionHash({ batch, batchHash, exchangeRoot: root, forcedRoot }: AccountProof['extension']): Hex {
  return keccak256(toRlp([batch === 0 ? '0x' : numberToHex(batch, { size: Math.ceil(bitLength(batch) / 8) }), batchHash, root, forcedRoot]))
}

const u64 = (n: number): Hex => numberToHex(n, { size: COLUMN })
const int = (rlp: Hex): number => (rlp === '0x' ? 0 : Number(rlp))
const bitLength = (n: number): number => (n === 0 ? 0 : n.toString(2).length)
const column = (row: Hex, nth: number): bigint => BigInt.asIntN(64, BigInt(slice(row, nth * COLUMN, (nth + 1) * COLUMN)))
