// The dev network's public keys: derived here, in the page, from the mnemonic that the whole field uses for tests.
//
// Everybody knows these keys. They exist so that a stranger can trade within a minute, on a network kind "dev" only.

import { keccak256, type Hex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import type { TypedData } from '../../core/signing.ts'
import { t } from '../../i18n/locale.svelte.ts'
import type { NodeClient } from '../../node/client.ts'
import { Unreachable } from '../../node/http.ts'
import type { EthereumCall, Wallet } from './wallet.ts'

const PUBLIC_MNEMONIC = 'test test test test test test test test test test test junk'

export function devWallet({ http, network }: NodeClient, index: number): Wallet {
  const chainId = network.chainId!
  const account = mnemonicToAccount(PUBLIC_MNEMONIC, { addressIndex: index })

  async function send({ to, data = '0x', value = 0n }: EthereumCall): Promise<Hex> {
    const from = account.address
    const hexValue = `0x${value.toString(16)}`
    const [nonce, gas, gasPrice] = await Promise.all([
      http.rpc<Hex>('eth_getTransactionCount', [from, 'pending']),
      http.rpc<Hex>('eth_estimateGas', [{ from, to, data, value: hexValue }]),
      http.rpc<Hex>('eth_gasPrice'),
    ])
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce: Number(nonce),
      gas: (BigInt(gas) * 12n) / 10n,
      maxFeePerGas: BigInt(gasPrice) * 2n,
      maxPriorityFeePerGas: 0n,
      to,
      data,
      value,
    })
    try {
      return await http.rpc<Hex>('eth_sendRawTransaction', [raw])
    } catch (fault) {
      if (!(fault instanceof Unreachable)) throw fault
      return keccak256(raw) // it may be on its way: whoever waits for this hash will see
    }
  }

  return {
    kind: 'dev',
    label: t('connect.devLabel', { n: index }),
    address: account.address.toLowerCase() as Hex,
    signTypedData: (data: TypedData) => account.signTypedData(data as Parameters<typeof account.signTypedData>[0]),
    send,
    onChange: () => () => undefined,
  }
}
