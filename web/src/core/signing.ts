// What is signed for the exchange, in the forms that Hyperliquid gave the field.
//
// An L1 action (orders, cancels, leverage) is hashed as MessagePack and signed as a "phantom agent"; a user-signed
// action (transfers, approvals) is signed field by field, so that a wallet can show it. Our domain is our own: the
// source names this chain and hyperliquidChain is "Coinone", so nothing signed here is valid anywhere else.

import { concat, hashTypedData, hexToBytes, keccak256, numberToBytes, type Hex } from 'viem'
import { encode, type Packable } from './msgpack.ts'

export const CHAIN_NAME = 'Coinone'
const NOBODY = '0x0000000000000000000000000000000000000000'

export interface Field {
  name: string
  type: string
}

export interface TypedData {
  domain: { name: string; version: string; chainId: number; verifyingContract: Hex }
  types: Record<string, Field[]>
  primaryType: string
  message: Record<string, unknown>
}

/** keccak(msgpack(action) || nonce || vault flag [|| vault] [|| 0 || expiry]): the connectionId of an L1 action. */
export function actionHash(action: Packable, nonce: number, vault: Hex | null = null, expiresAfter: number | null = null): Hex {
  const parts = [encode(action), numberToBytes(nonce, { size: 8 })]
  if (vault === null) parts.push(Uint8Array.of(0))
  else parts.push(Uint8Array.of(1), hexToBytes(vault))
  if (expiresAfter !== null) parts.push(Uint8Array.of(0), numberToBytes(expiresAfter, { size: 8 }))
  return keccak256(concat(parts))
}

export function sourceOf(chainId: number): string {
  return `coinone:${chainId}`
}

export function l1TypedData(source: string, connectionId: Hex): TypedData {
  return {
    domain: { name: 'Exchange', version: '1', chainId: 1337, verifyingContract: NOBODY },
    types: {
      Agent: [
        { name: 'source', type: 'string' },
        { name: 'connectionId', type: 'bytes32' },
      ],
    },
    primaryType: 'Agent',
    message: { source, connectionId },
  }
}

/** The kinds of transaction that a wallet or a trading key signs, as the chain numbers them. */
export const L1_ACTION = 0x70
export const USER_ACTION = 0x71

/** The hash that the chain files a signed action under: it names the content and the signer, never the signature. */
export function transactionHash(kind: number, data: TypedData, signer: Hex): Hex {
  const digest = hashTypedData(data as Parameters<typeof hashTypedData>[0])
  return keccak256(concat([Uint8Array.of(kind), hexToBytes(digest), hexToBytes(signer)]))
}

const text = (name: string): Field => ({ name, type: 'string' })
const time = (name: string): Field => ({ name, type: 'uint64' })
const address = (name: string): Field => ({ name, type: 'address' })

/** Signed fields of each user-signed action, after the leading hyperliquidChain. */
const USER_ACTIONS: Record<string, { primary: string; fields: Field[] }> = {
  approveAgent: { primary: 'ApproveAgent', fields: [address('agentAddress'), text('agentName'), time('nonce')] },
  spotSend: { primary: 'SpotSend', fields: [text('destination'), text('token'), text('amount'), time('time')] },
  usdSend: { primary: 'UsdSend', fields: [text('destination'), text('amount'), time('time')] },
  sendAsset: {
    primary: 'SendAsset',
    fields: [
      text('destination'),
      text('sourceDex'),
      text('destinationDex'),
      text('token'),
      text('amount'),
      text('fromSubAccount'),
      time('nonce'),
    ],
  },
}

export interface UserAction {
  type: string
  hyperliquidChain: string
  signatureChainId: Hex
  [field: string]: string | number
}

export function userTypedData(action: UserAction): TypedData {
  const known = USER_ACTIONS[action.type]
  if (!known) throw new RangeError(`no signed form for ${action.type}`)
  const fields = [text('hyperliquidChain'), ...known.fields]
  const message: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const value = action[name]
    if (value === undefined) throw new RangeError(`${action.type} lacks ${name}`)
    message[name] = type === 'uint64' ? BigInt(value) : value
  }
  const primaryType = `HyperliquidTransaction:${known.primary}`
  return {
    domain: { name: 'HyperliquidSignTransaction', version: '1', chainId: Number(action.signatureChainId), verifyingContract: NOBODY },
    types: { [primaryType]: fields },
    primaryType,
    message,
  }
}

export interface WireSignature {
  r: Hex
  s: Hex
  v: number
}

export function splitSignature(signature: Hex): WireSignature {
  if (signature.length !== 132) throw new RangeError('a signature has 65 bytes')
  const v = parseInt(signature.slice(130), 16)
  return { r: `0x${signature.slice(2, 66)}`, s: `0x${signature.slice(66, 130)}`, v: v < 27 ? v + 27 : v }
}
