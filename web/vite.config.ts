// The build writes beside the API that serves it, so that a wheel carries the pages and needs no Node.js.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const node = process.env.COINONE_NODE ?? 'http://127.0.0.1:3001'

const TEXT = /\.(html|js|css|svg)$/ // fonts are compressed already

/** Beside each text file its compressed forms: the node sends what the browser takes and compresses nothing itself. */
function compressed(folder: string): Plugin {
  return {
    name: 'compressed',
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!TEXT.test(name)) continue
        const bytes = readFileSync(join(folder, name))
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }))
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

const output = '../coinone/interfaces/api/static'

export default defineConfig({
  plugins: [svelte(), compressed(output)],
  base: './',
  build: {
    outDir: output,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // an inlined font or script would break the content security policy
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/info': node,
      '/exchange': node,
      '/rpc': node,
      '/explorer': node,
      '/ws': { target: node, ws: true },
    },
  },
})
