// The build writes beside the API that serves it, so that a wheel carries the pages and needs no Node.js.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const node = process.env.COINONE_NODE ?? 'http://127.0.0.1:3001'

export default defineConfig({
  plugins: [svelte()],
  base: './',
  build: {
    outDir: '../coinone/interfaces/api/static',
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
