// Every page of the site: how its address looks, what it is called, and where its code lies.
//
// A page's code is loaded when it is first gone to, and its words with it; what it is called stands here, since the shell
// shows that before. What is behind the name in the address is checked here, so a page is shown only for an address that can
// lead somewhere; all others are told why not.

import type { Component } from 'svelte'
import type { Text } from '../i18n/locale.svelte.ts'

/** A page is given its name and the part of the address behind it, and need not take them. */
export type View = Component<{ page: string; argument: string }> | Component

export interface Page {
  name: string
  title: Text
  /** The page whose link in the header is marked while this one is shown; a page that names itself has a link there. */
  under?: string
  /** Whether an address with that behind the name can lead somewhere: nothing may stand there if it is left out. */
  takes?: (argument: string) => boolean
  /** What is said if not. */
  needs?: Text
  load: () => Promise<{ default: View }>
}

const NUMBER = /^\d{1,15}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const ORDER = /^0x[0-9a-fA-F]{40}\/\d{1,15}$/
const NEEDS_ADDRESS: Text = {
  en: 'An account is named by its address: 0x and 40 digits.',
  zh: '账户由其地址指定：0x 加 40 位。',
  ja: 'アカウントはアドレス（0x と 40 桁）で指定します。',
  ko: '계정은 주소로 지정합니다: 0x와 40자리.',
}

const explorer = () => import('../explorer/Explorer.svelte')

export const PAGES: readonly Page[] = [
  {
    name: 'trade',
    title: { en: 'Trade', zh: '交易', ja: '取引', ko: '거래' },
    under: 'trade',
    load: () => import('../trade/Trade.svelte'),
  },
  {
    name: 'explorer',
    title: { en: 'Explorer', zh: '浏览器', ja: 'エクスプローラー', ko: '탐색기' },
    under: 'explorer',
    load: explorer,
  },
  {
    name: 'block',
    title: { en: 'Block', zh: '区块', ja: 'ブロック', ko: '블록' },
    under: 'explorer',
    takes: (text) => text === 'latest' || NUMBER.test(text) || HASH.test(text),
    needs: {
      en: 'A block is named by its number or its hash (0x and 64 digits).',
      zh: '区块由其编号或哈希（0x 加 64 位）指定。',
      ja: 'ブロックは番号またはハッシュ（0x と 64 桁）で指定します。',
      ko: '블록은 번호나 해시(0x와 64자리)로 지정합니다.',
    },
    load: explorer,
  },
  {
    name: 'batch',
    title: { en: 'Batch', zh: '批次', ja: 'バッチ', ko: '배치' },
    under: 'explorer',
    takes: (text) => NUMBER.test(text),
    needs: {
      en: 'A batch is named by its number.',
      zh: '批次由其编号指定。',
      ja: 'バッチは番号で指定します。',
      ko: '배치는 번호로 지정합니다.',
    },
    load: explorer,
  },
  {
    name: 'tx',
    title: { en: 'Transaction', zh: '交易', ja: 'トランザクション', ko: '트랜잭션' },
    under: 'explorer',
    takes: (text) => HASH.test(text),
    needs: {
      en: 'A transaction is named by its hash: 0x and 64 digits.',
      zh: '交易由其哈希指定：0x 加 64 位。',
      ja: 'トランザクションはハッシュ（0x と 64 桁）で指定します。',
      ko: '트랜잭션은 해시로 지정합니다: 0x와 64자리.',
    },
    load: explorer,
  },
  {
    name: 'account',
    title: { en: 'Account', zh: '账户', ja: 'アカウント', ko: '계정' },
    under: 'explorer',
    takes: (text) => ADDRESS.test(text),
    needs: NEEDS_ADDRESS,
    load: explorer,
  },
  {
    name: 'order',
    title: { en: 'Order', zh: '订单', ja: '注文', ko: '주문' },
    under: 'explorer',
    takes: (text) => ORDER.test(text),
    needs: {
      en: 'An order is named by its account and its number.',
      zh: '订单由其账户和编号指定。',
      ja: '注文はアカウントと番号で指定します。',
      ko: '주문은 계정과 번호로 지정합니다.',
    },
    load: explorer,
  },
  {
    name: 'proof',
    title: { en: 'Proof of an account', zh: '账户证明', ja: 'アカウントの証明', ko: '계정 증명' },
    under: 'explorer',
    takes: (text) => text === '' || ADDRESS.test(text),
    needs: NEEDS_ADDRESS,
    load: () => import('../proof/Proof.svelte'),
  },
  {
    name: 'kit',
    title: { en: 'Kit', zh: '组件', ja: '部品集', ko: '부품' },
    load: () => import('../ui/Gallery.svelte'),
  },
]
