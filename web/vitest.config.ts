// Tests of modules, state and components, in a page's environment without a browser; what needs one is in tests/functional.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ['browser'] }, // else Svelte's server half is taken
  test: {
    include: ['tests/*.test.ts'],
    isolate: false, // no module keeps state of its own, and a process for each file took three times the processor time
    environmentOptions: { happyDOM: { url: 'http://127.0.0.1:3001/' } }, // of the files that ask for it
  },
})
