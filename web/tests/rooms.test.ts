// Which room may import which: each only those below it, so that no two hold each other.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'vitest'

/** Of each room the rooms below it that it may import. */
const BELOW: Record<string, string[]> = {
  i18n: [],
  core: ['i18n'],
  node: ['i18n', 'core'],
  ui: ['i18n', 'core'],
  market: ['i18n', 'core', 'node', 'ui'],
  account: ['i18n', 'core', 'node', 'ui', 'market'],
  trader: ['i18n', 'core', 'node', 'ui', 'market', 'account'],
  trade: ['i18n', 'core', 'node', 'ui', 'market', 'account', 'trader'],
  explorer: ['i18n', 'core', 'node', 'ui', 'market'],
  proof: ['i18n', 'core', 'node', 'ui', 'market'],
  app: ['i18n', 'core', 'node', 'ui', 'market', 'account', 'trader', 'trade', 'explorer', 'proof'],
}
const ROOT = join(import.meta.dirname, '..', 'src')
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g

const modules = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|svelte)$/.test(name) && name.includes('/'))
const room = (name: string): string => name.split('/')[0]!

/** Modules of other rooms that a module imports. */
function imports(name: string): string[] {
  const text = readFileSync(join(ROOT, name), 'utf8')
  return [...text.matchAll(IMPORT)].map(([, path]) => normalize(join(dirname(name), path!))).filter((path) => room(path) !== room(name))
}

test('every module is in a room', () => {
  assert.deepEqual([...new Set(modules.map(room))].sort(), Object.keys(BELOW).sort())
})

test('rooms import rooms below them only', () => {
  const wrong = modules.flatMap((name) => imports(name).filter((path) => !BELOW[room(name)]!.includes(room(path))).map((path) => `${name} imports ${path}`))
  assert.deepEqual(wrong, [])
  assert.ok(modules.flatMap(imports).length > 100, 'imports are found')
})

test('a room is small enough to be read', () => {
  for (const name of Object.keys(BELOW)) assert.ok(modules.filter((each) => room(each) === name).length <= 14, name)
})

test('a room is not one of its own floors', () => {
  for (const [name, below] of Object.entries(BELOW)) for (const lower of below) assert.ok(!BELOW[lower]!.includes(name), `${name} and ${lower}`)
})
