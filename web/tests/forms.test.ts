// The page's field lists, domains and hashes against the vectors that base/forms writes.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'vitest'
import { hashTypedData, type Hex } from 'viem'
import type { Packable } from '../src/core/msgpack.ts'
import {
  actionHash, l1TypedData, L1_ACTION, transactionHash, USER_ACTION, userTypedData, type TypedData, type UserAction,
} from '../src/core/signing.ts'

interface Signed<Action> {
  action: Action
  digest: Hex
  hash: Hex
}
type L1 = Signed<Packable> & { nonce: number; expiresAfter: number | null; source: string; connectionId: Hex }
interface Vectors {
  signer: Hex
  l1: L1[]
  user: Signed<UserAction>[]
}

const vectors = JSON.parse(readFileSync(new URL('forms.json', import.meta.url), 'utf8')) as Vectors
const digestOf = (data: TypedData): Hex => hashTypedData(data as Parameters<typeof hashTypedData>[0])

test('an L1 action has the digest and hash of the chain', () => {
  for (const { action, nonce, expiresAfter, source, connectionId, digest, hash } of vectors.l1) {
    assert.equal(actionHash(action, nonce, null, expiresAfter), connectionId)
    const data = l1TypedData(source, connectionId)
    assert.equal(digestOf(data), digest)
    assert.equal(transactionHash(L1_ACTION, data, vectors.signer), hash)
  }
})

test('a user-signed action has the digest and hash of the chain', () => {
  const known = vectors.user.filter(({ action }) => ['approveAgent', 'spotSend', 'usdSend', 'sendAsset'].includes(action.type))
  assert.equal(known.length, 4)
  for (const { action, digest, hash } of known) {
    const data = userTypedData(action)
    assert.equal(digestOf(data), digest, action.type)
    assert.equal(transactionHash(USER_ACTION, data, vectors.signer), hash, action.type)
  }
})
