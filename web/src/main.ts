import '@fontsource-variable/inter/wght.css'
import './app.css'
import { mount } from 'svelte'
import App from './app/App.svelte'
import { preferred, speak } from './i18n/locale.svelte.ts'

const show = (): void => void mount(App, { target: document.getElementById('app')! })
speak(preferred()).then(show, show) // in English where the language cannot be had
