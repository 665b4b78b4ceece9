// Signs what it reads (JSON: [{key, action, nonce, vault, expiresAfter, source} | {key, user}]) with the page's own
// modules and prints the signatures, so that a test in another language can compare them with another signer's.

import { privateKeyToAccount } from 'viem/accounts'
import { actionHash, l1TypedData, splitSignature, userTypedData } from '../src/core/signing.ts'

let text = ''
for await (const chunk of process.stdin) text += chunk

const signatures = []
for (const { key, action, nonce, vault, expiresAfter, source, user } of JSON.parse(text)) {
  const data = user ? userTypedData(user) : l1TypedData(source, actionHash(action, nonce, vault, expiresAfter))
  signatures.push(splitSignature(await privateKeyToAccount(key).signTypedData(data)))
}
console.log(JSON.stringify(signatures))
