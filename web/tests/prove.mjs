// Checks the proofs that it reads (JSON: [{proof, user}]) with the page's own module and prints what came of each, so that
// a test in another language can compare it with another checker's.

import { check } from '../src/proof/account.ts'

let text = ''
for await (const chunk of process.stdin) text += chunk

const plain = (_, value) => (typeof value === 'bigint' ? Number(value) : value)
const told = JSON.parse(text).map(({ proof, user }) => {
  try {
    return check(proof, user)
  } catch (fault) {
    return { failed: `unreadable: ${fault.name}` }
  }
})
console.log(JSON.stringify(told, plain))
