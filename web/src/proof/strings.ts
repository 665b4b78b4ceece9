// Words of the proof, in every language: they come with its code.

import { withOwn, type Text } from '../i18n/locale.svelte.ts'

export const words = {
  'proof.title': { en: 'Proof of an account', zh: '账户证明', ja: 'アカウントの証明', ko: '계정 증명' },
  'proof.meaning': {
    en: 'Computed in this browser from the account up to the hash of a block: balance, positions and all orders, none added and none left out. Only whether the block is the chain’s is for another node to say.',
    zh: '在此浏览器中从账户一直计算到区块哈希：余额、仓位和全部订单，不多也不少。只有该区块是否属于这条链，需要由另一个节点来确认。',
    ja: 'アカウントからブロックのハッシュまで、このブラウザーで計算します。残高、ポジション、すべての注文に過不足はありません。そのブロックがこのチェーンのものかどうかだけは、別のノードに確認してください。',
    ko: '계정에서 블록 해시까지 이 브라우저에서 계산합니다. 잔액, 포지션, 모든 주문이 더하거나 빠짐없이 확인됩니다. 그 블록이 이 체인의 것인지만은 다른 노드에 확인해야 합니다.',
  },
  'proof.check': { en: 'Check', zh: '验证', ja: '検証', ko: '검증' },
  'proof.steps': { en: 'Steps of the proof', zh: '证明步骤', ja: '証明の手順', ko: '증명 단계' },
  'proof.holds': { en: 'Proven', zh: '已证明', ja: '証明されました', ko: '증명됨' },
  'proof.fails': {
    en: 'Not proven: the node’s answer does not hold',
    zh: '未能证明：节点的应答不成立',
    ja: '証明されません：ノードの応答が成り立ちません',
    ko: '증명되지 않음: 노드의 응답이 성립하지 않습니다',
  },
  'proof.checking': {
    en: 'Asking for the proof and checking it…',
    zh: '正在获取并验证证明…',
    ja: '証明を取得して検証しています…',
    ko: '증명을 요청해 확인하는 중…',
  },
  'proof.again': { en: 'Check again', zh: '重新验证', ja: 'もう一度検証', ko: '다시 검증' },
  'proof.step.orders': {
    en: 'The orders are complete and in order',
    zh: '订单完整且有序',
    ja: '注文が完全で順番どおり',
    ko: '주문이 빠짐없고 순서대로임',
  },
  'proof.step.tree': {
    en: 'The account stands in the tree of accounts',
    zh: '账户位于账户树中',
    ja: 'アカウントがアカウントの木にある',
    ko: '계정이 계정 트리에 있음',
  },
  'proof.step.exchange': {
    en: 'The tree is part of the exchange’s root',
    zh: '该树属于交易所根',
    ja: '木が取引所ルートに含まれる',
    ko: '트리가 거래소 루트에 속함',
  },
  'proof.step.header': {
    en: 'The root is part of the block’s header',
    zh: '该根属于区块头',
    ja: 'ルートがブロックヘッダーに含まれる',
    ko: '루트가 블록 헤더에 속함',
  },
  'proof.step.owner': {
    en: 'The account is that of the address',
    zh: '账户属于该地址',
    ja: 'アカウントがそのアドレスのもの',
    ko: '계정이 그 주소의 것임',
  },
  'proof.other': {
    en: 'Hash of this block from a node that you trust more',
    zh: '来自您更信任的节点的该区块哈希',
    ja: 'より信頼するノードから得たこのブロックのハッシュ',
    ko: '더 신뢰하는 노드에서 얻은 이 블록의 해시',
  },
  'proof.same': { en: 'The same block', zh: '同一个区块', ja: '同じブロックです', ko: '같은 블록입니다' },
  'proof.differs': {
    en: 'Another block: one of the two nodes is on another chain, or the hash is of another number',
    zh: '不同的区块：两个节点之一在另一条链上，或该哈希属于另一个编号',
    ja: '別のブロックです。どちらかのノードが別のチェーンにあるか、別の番号のハッシュです',
    ko: '다른 블록입니다. 두 노드 중 하나가 다른 체인에 있거나 다른 번호의 해시입니다',
  },
  'proof.cash': { en: 'Balance without open profit', zh: '不含浮动盈亏的余额', ja: '未実現損益を除く残高', ko: '미실현 손익을 뺀 잔액' },
  'proof.entryValue': { en: 'Value at entry', zh: '开仓价值', ja: '建玉時の評価額', ko: '진입 금액' },
  'proof.block': { en: 'Block', zh: '区块', ja: 'ブロック', ko: '블록' },
  'proof.blockHash': { en: 'Block hash', zh: '区块哈希', ja: 'ブロックハッシュ', ko: '블록 해시' },
  'proof.address': { en: 'Address', zh: '地址', ja: 'アドレス', ko: '주소' },
} satisfies Record<string, Text>

export const t = withOwn(words)
