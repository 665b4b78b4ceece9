// @vitest-environment happy-dom
// Words of the pages: every language has them all, none is left in markup or code, and numbers can be typed as they are shown.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, type AST } from 'svelte/compiler'
import { afterEach, test } from 'vitest'
import { fmt, fmtPx } from '../src/core/numbers.ts'
import { dayAndClock } from '../src/core/time.ts'
import { read } from '../src/core/typed.ts'
import { en } from '../src/i18n/en.ts'
import { choose, LANGUAGES, locale, preferred, speak, t, tn, type Key, type Locale } from '../src/i18n/locale.svelte.ts'

const ROOT = join(import.meta.dirname, '..', 'src')
const SOURCES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('i18n/') && name !== 'ui/Gallery.svelte')
const COMPONENTS = SOURCES.filter((name) => name.endsWith('.svelte'))
const LOCALES = Object.keys(LANGUAGES) as Locale[]
const KEYS = Object.keys(en) as Key[]
/** What is called the same everywhere. */
const NAMES = /USDC|BTC|Coinone|Ctrl|[OHLC]\b/g
const SHOWN = new Set(['title', 'aria-label', 'placeholder', 'alt', 'label', 'name', 'data-label'])

const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
const text = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
afterEach(() => speak('en'))

test.each(LOCALES)('%s has every message, with the same values in it', async (chosen) => {
  const messages = await LANGUAGES[chosen].load()
  assert.deepEqual(Object.keys(messages), KEYS)
  for (const key of KEYS) {
    assert.ok(messages[key].trim(), key)
    assert.deepEqual([...new Set(placeholders(messages[key]))], [...new Set(placeholders(en[key]))], key)
  }
})

test.each(LOCALES.filter((each) => each !== 'en'))('%s is a translation, in its own letters', async (chosen) => {
  const messages = await LANGUAGES[chosen].load()
  const words = (key: Key): string => messages[key].replace(/\{\w+\}/g, '').replace(/Nonce/, '')
  assert.deepEqual(KEYS.filter((key) => /\p{L}/u.test(words(key)) && !/[^\u0000-\u024f]/.test(words(key))), [])
})

test('each form of a count has the other beside it', () => {
  for (const key of KEYS.filter((each) => each.endsWith('.one'))) assert.ok(KEYS.includes(key.replace(/one$/, 'other') as Key), key)
})

test('every message is used', () => {
  const all = SOURCES.filter((name) => /\.(ts|svelte)$/.test(name)).map(text).join('\n')
  // Some are named in part: `fact.${name}`, and of a count the stem.
  const families = [...all.matchAll(/`([\w.]+\.)\$\{/g)].map(([, stem]) => stem!)
  const unused = KEYS.filter((key) => !all.includes(`'${key}'`) && !all.includes(`'${key.replace(/\.(one|other)$/, '')}'`) && !families.some((stem) => key.startsWith(stem)))
  assert.deepEqual(unused, [])
})

/** Words that a component's markup holds itself: its texts, and attributes that are seen or read aloud. */
function literals(name: string): string[] {
  const found: string[] = []
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk)
    if (typeof node !== 'object' || node === null) return
    const { type, name: own, data } = node as { type?: string; name?: string; data?: string }
    if (type === 'StyleDirective' || type?.endsWith('Expression') || (type === 'Attribute' && !SHOWN.has(own!))) return
    if (type !== 'Text') return Object.values(node).forEach(walk)
    if (/\p{L}{2}/u.test(data!.replace(NAMES, ''))) found.push(`${name}: ${data!.trim()}`)
  }
  walk((parse(text(name), { modern: true }) as AST.Root).fragment)
  return found
}

test('no word is left in markup', () => {
  assert.deepEqual(COMPONENTS.flatMap(literals), [])
})

test('a word that is left in markup would be found', () => {
  assert.ok(COMPONENTS.length > 30)
  assert.deepEqual(literals('ui/Gallery.svelte').some((found) => found.endsWith('Facts and tables')), true)
})

test('no sentence is left in code', () => {
  // Errors that only programmers meet, in core/, and what is matched and not said, may have words.
  const sentence = /['`>](?:[A-Z][a-z’']+ [a-z][^'`]*|[A-Z][a-z]+…)['`<]/g
  const internal = /RangeError|new Error\('not in a block yet'\)|super\(/
  const found = SOURCES.filter((name) => /\.(ts|svelte)$/.test(name)).flatMap((name) =>
    text(name).split('\n').filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && !internal.test(line)).flatMap((line) => line.replace(/\/\*.*?\*\/|\s\/\/ .*$/g, '').match(sentence)?.map((words) => `${name}: ${words}`) ?? []),
  )
  assert.deepEqual(found, [])
})

test.each(LOCALES)('in %s a number that is shown is read as itself, or refused as one of two', async (chosen) => {
  await speak(chosen)
  for (const value of [0.001, 1.25, 12.5, 999.99, 97_542.5, 1_234_567.89]) assert.equal(read(fmt(value, 0, 8)).text, String(value), fmt(value, 0, 8))
  assert.match(read(fmtPx(97_542, 5)).problem ?? '', /97542.*97\.542/)
})

test('a language is loaded, spoken, told to the document and remembered', async () => {
  assert.equal(t('app.trade'), 'Trade')
  await choose('ja')
  assert.deepEqual([locale(), t('app.trade'), document.documentElement.lang], ['ja', '取引', 'ja'])
  assert.equal(preferred(), 'ja')
  localStorage.clear()
  assert.equal(preferred(), 'en')
})

test('values are filled in, and one thing is told from more', () => {
  assert.equal(t('ticket.smallestSize', { size: 0.001, coin: 'BTC' }), 'Smallest size is 0.001 BTC')
  assert.deepEqual([tn('key.days', 1), tn('key.days', 7)], ['1 day', '7 days'])
})

test('times have a day of 24 hours in every language', async () => {
  const evening = new Date(2026, 10, 30, 21, 5, 9).getTime()
  for (const chosen of LOCALES) {
    await speak(chosen)
    assert.match(dayAndClock(evening), /21:05:09$/)
  }
})
