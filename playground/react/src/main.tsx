import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { evaluated, note } from '../../common/log.ts'
import '../../common/look.css'

// As many apps do, this one starts at DOMContentLoaded, and would not start if that had come before.
document.addEventListener('readystatechange', () => note('readystatechange'))
document.addEventListener('DOMContentLoaded', () => {
  note('DOMContentLoaded')
  createRoot(document.getElementById('root')!).render(<App />)
  note('started')
})
addEventListener('load', () => note('load'))

evaluated('main', import.meta.url)
