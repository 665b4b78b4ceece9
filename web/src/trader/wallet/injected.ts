// Wallets that the browser brings: announced by EIP-6963, or the older window.ethereum; both speak EIP-1193.

import type { Hex } from 'viem'
import type { TypedData } from '../../core/signing.ts'
import { t } from '../../i18n/locale.svelte.ts'
import type { Network } from '../../node/network.svelte.ts'
import type { EthereumCall, Wallet } from './wallet.ts'

interface Provider {
  request(call: { method: string; params?: unknown }): Promise<unknown>
  on?(event: string, listener: (value: never) => void): void
  removeListener?(event: string, listener: (value: never) => void): void
}

export interface Announced {
  id: string
  /** Names the wallet across reloads; `id` is of this page view only. */
  rdns: string
  name: string
  icon: string | null
  provider: Provider
}

interface AnnounceDetail {
  info: { uuid: string; name: string; icon: string; rdns: string }
  provider: Provider
}

const UNKNOWN_CHAIN = 4902
const MAX_NAME = 40
const LEGACY = 'window.ethereum'
const LEGACY_MS = 300 // a wallet that announces itself is preferred to what stands in the window

/** Listen for wallets; each one found is handed over once. Returns a way to stop. */
export function discover(found: (wallet: Announced) => void): () => void {
  const seen = new Set<string>()
  const listen = (event: Event): void => {
    const { info, provider } = (event as CustomEvent<AnnounceDetail>).detail
    if (seen.has(info.uuid)) return
    seen.add(info.uuid)
    const icon = info.icon.startsWith('data:image/') ? info.icon : null
    found({ id: info.uuid, rdns: info.rdns, name: info.name.slice(0, MAX_NAME), icon, provider })
  }
  window.addEventListener('eip6963:announceProvider', listen)
  window.dispatchEvent(new Event('eip6963:requestProvider'))
  const legacy = setTimeout(() => {
    const provider = (window as { ethereum?: Provider }).ethereum
    if (provider && seen.size === 0) found({ id: 'injected', rdns: LEGACY, name: t('connect.browserWallet'), icon: null, provider })
  }, LEGACY_MS)
  return () => {
    clearTimeout(legacy)
    window.removeEventListener('eip6963:announceProvider', listen)
  }
}

/** Ask the wallet for an account; it may ask its owner. */
export async function connectInjected(network: Network, announced: Announced): Promise<Wallet> {
  const accounts = (await announced.provider.request({ method: 'eth_requestAccounts' })) as Hex[]
  if (!accounts[0]) throw new Error(t('connect.noAccount'))
  return walletOf(network, announced, accounts[0])
}

/** Wait for the wallet of that name, however late it announces itself: `found` when it does, `allowed` with each account that it
 * allows to this page, at once or when its owner unlocks it. Nobody is asked. Returns a way to stop. */
export function awaitInjected(network: Network, rdns: string, found: () => void, allowed: (wallet: Wallet) => void): () => void {
  let isOver = false
  let stopListening = (): void => undefined
  const stopLooking = discover((announced) => {
    if (announced.rdns !== rdns) return
    queueMicrotask(() => stopLooking()) // it may be here before discover has returned
    const use = ([account]: Hex[]): void => {
      if (account && !isOver) allowed(walletOf(network, announced, account))
    }
    stopListening = onAccounts(announced, use)
    found()
    void announced.provider.request({ method: 'eth_accounts' }).then((accounts) => use(accounts as Hex[]), () => undefined)
  })
  return () => {
    isOver = true
    stopLooking()
    stopListening()
  }
}

function onAccounts({ provider }: Announced, listener: (accounts: Hex[]) => void): () => void {
  provider.on?.('accountsChanged', listener as (value: never) => void)
  return () => provider.removeListener?.('accountsChanged', listener as (value: never) => void)
}

function walletOf(network: Network, announced: Announced, account: Hex): Wallet {
  const { name, provider } = announced
  const address = account.toLowerCase() as Hex
  return {
    kind: 'injected',
    label: name,
    address,
    async signTypedData(data: TypedData) {
      await useNetwork(network, provider)
      return (await provider.request({ method: 'eth_signTypedData_v4', params: [address, typedDataJson(data)] })) as Hex
    },
    async send({ to, data, value = 0n }: EthereumCall) {
      await useNetwork(network, provider)
      const call = { from: address, to, data, value: `0x${value.toString(16)}` }
      return (await provider.request({ method: 'eth_sendTransaction', params: [call] })) as Hex
    },
    addNetwork: () => addNetwork(network, provider),
    onChange(listener) {
      return onAccounts(announced, ([first]) => listener(first ? walletOf(network, announced, first) : null))
    },
  }
}

/** Wallets sign typed data only for the chain that they are on: ask to switch, and to add the network if it is new. */
async function useNetwork(network: Network, provider: Provider): Promise<void> {
  const chainId = `0x${network.chainId!.toString(16)}`
  if ((await provider.request({ method: 'eth_chainId' })) === chainId) return
  try {
    await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId }] })
  } catch (fault) {
    if ((fault as { code?: number }).code !== UNKNOWN_CHAIN) throw fault
    await addNetwork(network, provider)
  }
}

async function addNetwork(network: Network, provider: Provider): Promise<void> {
  await provider.request({
    method: 'wallet_addEthereumChain',
    params: [
      {
        chainId: `0x${network.chainId!.toString(16)}`,
        chainName: network.name,
        rpcUrls: [`${location.origin}/rpc`],
        nativeCurrency: { name: 'Bitcoin', symbol: 'BTC', decimals: 18 },
      },
    ],
  })
}

function typedDataJson({ domain, types, primaryType, message }: TypedData): string {
  const EIP712Domain = [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'verifyingContract', type: 'address' },
  ]
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  return JSON.stringify({ domain, types: { EIP712Domain, ...types }, primaryType, message }, plain)
}
