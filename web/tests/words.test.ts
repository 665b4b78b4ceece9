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
import { PAGES } from '../src/app/pages.ts'
import { en } from '../src/i18n/en.ts'
import { choose, LANGUAGES, locale, preferred, say, speak, t, tn, withOwn, type Key, type Locale, type Text } from '../src/i18n/locale.svelte.ts'

const ROOT = join(import.meta.dirname, '..', 'src')
const SOURCES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('i18n/') && name !== 'ui/Gallery.svelte')
const STRINGS = import.meta.glob<{ words: Record<string, Text> }>('../src/*/strings.ts', { eager: true })
/** Of each room that brings words of its own along, what they are. */
const OWN = Object.entries(STRINGS).map(([path, { words }]) => ({ room: path.split('/').at(-2)!, words }))
const TEXTS: [string, Text][] = [
  ...OWN.flatMap(({ words }) => Object.entries(words)),
  ...PAGES.flatMap(({ name, title, needs }): [string, Text][] => [[`title of ${name}`, title], ...(needs ? [[`needs of ${name}`, needs] as [string, Text]] : [])]),
]
const COMPONENTS = SOURCES.filter((name) => name.endsWith('.svelte'))
const LOCALES = Object.keys(LANGUAGES) as Locale[]
const KEYS = Object.keys(en) as Key[]
/** What is called the same everywhere. */
const NAMES = /USDC|BTC|Coinone|Ctrl|[OHLC]\b/g
const SHOWN = new Set(['title', 'aria-label', 'placeholder', 'alt', 'label', 'name', 'data-label'])

const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
const text = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
afterEach(() => speak('en'))

/** Of every message and text its English and its form in that language. */
async function told(chosen: Locale): Promise<[string, string, string][]> {
  const messages = await LANGUAGES[chosen].load()
  return [...KEYS.map((key): [string, string, string] => [key, en[key], messages[key]]), ...TEXTS.map(([name, text]): [string, string, string] => [name, text.en, text[chosen]])]
}

test.each(LOCALES)('%s has every message, with the same values in it', async (chosen) => {
  assert.deepEqual(Object.keys(await LANGUAGES[chosen].load()), KEYS)
  for (const [key, english, translated] of await told(chosen)) {
    assert.ok(translated.trim(), key)
    assert.deepEqual([...new Set(placeholders(translated))], [...new Set(placeholders(english))], key)
  }
})

test.each(LOCALES.filter((each) => each !== 'en'))('%s is a translation, in its own letters', async (chosen) => {
  const words = (text: string): string => text.replace(/\{\w+\}/g, '').replace(/Nonce/, '')
  const inLatin = (await told(chosen)).filter(([, , text]) => /\p{L}/u.test(words(text)) && !/[^\u0000-\u024f]/.test(words(text)))
  assert.deepEqual(inLatin, [])
})

test('each form of a count has the other beside it', () => {
  for (const key of KEYS.filter((each) => each.endsWith('.one'))) assert.ok(KEYS.includes(key.replace(/one$/, 'other') as Key), key)
})

/** Those of the names that these sources do not say. */
function unused(names: string[], sources: string[]): string[] {
  const all = sources.filter((name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('/strings.ts')).map(text).join('\n')
  // Some are named in part: `fact.${name}`, and of a count the stem.
  const families = [...all.matchAll(/`([\w.]+\.)\$\{/g)].map(([, stem]) => stem!)
  return names.filter((key) => !all.includes(`'${key}'`) && !all.includes(`'${key.replace(/\.(one|other)$/, '')}'`) && !families.some((stem) => key.startsWith(stem)))
}
const sourcesOf = (room: string): string[] => SOURCES.filter((name) => name.startsWith(`${room}/`))

test('every message is used', () => {
  assert.deepEqual(unused(KEYS, SOURCES), [])
})

test('a room that brings words along uses each of them, and no other room has one of that name', () => {
  assert.ok(OWN.length >= 2, 'rooms with words of their own are found')
  for (const { room, words } of OWN) assert.deepEqual(unused(Object.keys(words), sourcesOf(room)), [], room)
  const names = [...KEYS, ...OWN.flatMap(({ words }) => Object.keys(words))]
  assert.equal(new Set(names).size, names.length)
})

test('what only such a room says is not loaded with the trading page', () => {
  for (const { room } of OWN) {
    const others = SOURCES.filter((name) => !name.startsWith(`${room}/`))
    assert.deepEqual(unused(KEYS, others), [], room)
  }
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
  const IN_FOUR = /\b(en|zh|ja|ko): '[^']*'/g // a text, of which the types hold that no language is missing
  const internal = /RangeError|new Error\('not in a block yet'\)|super\(/
  const found = SOURCES.filter((name) => /\.(ts|svelte)$/.test(name)).flatMap((name) =>
    text(name).replace(IN_FOUR, '').split('\n').filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && !internal.test(line)).flatMap((line) => line.replace(/\/\*.*?\*\/|\s\/\/ .*$/g, '').match(sentence)?.map((words) => `${name}: ${words}`) ?? []),
  )
  assert.deepEqual(found, [])
})

test.each(LOCALES)('in %s a number that is shown is read as itself, or refused as one of two', async (chosen) => {
  await speak(chosen)
  for (const value of [0.001, 1.25, 12.5, 999.99, 97_542.5, 1_234_567.89]) assert.equal(read(fmt(value, 0, 8)).text, String(value), fmt(value, 0, 8))
  assert.match(read(fmtPx(97_542, 5)).problem ?? '', /97542.*97\.542/)
})

test('a language is loaded, spoken, told to the document and remembered', async () => {
  assert.equal(t('app.connect'), 'Connect')
  await choose('ja')
  assert.deepEqual([locale(), t('app.connect'), document.documentElement.lang], ['ja', '接続', 'ja'])
  assert.equal(preferred(), 'ja')
  localStorage.clear()
  assert.equal(preferred(), 'en')
})

test('values are filled in, and one thing is told from more', () => {
  assert.equal(t('ticket.smallestSize', { size: 0.001, coin: 'BTC' }), 'Smallest size is 0.001 BTC')
  assert.deepEqual([tn('key.days', 1), tn('key.days', 7)], ['1 day', '7 days'])
})

test('a text is said in the language of the page, and a room knows its own and the shared ones', async () => {
  const own = withOwn({ 'own.count': { en: '{n} blocks', zh: '{n} 个区块', ja: '{n} ブロック', ko: '블록 {n}개' } })
  assert.deepEqual([own('own.count', { n: 3 }), own('app.connect')], ['3 blocks', 'Connect'])
  await speak('ja')
  assert.deepEqual([own('own.count', { n: 3 }), own('app.connect'), say(PAGES[0]!.title)], ['3 ブロック', '接続', '取引'])
})

test('times have a day of 24 hours in every language', async () => {
  const evening = new Date(2026, 10, 30, 21, 5, 9).getTime()
  for (const chosen of LOCALES) {
    await speak(chosen)
    assert.match(dayAndClock(evening), /21:05:09$/)
  }
})
