import { catalog, motto } from './shared/catalog.ts'
import { evaluated } from './shared/log.ts'
import './shared/look.css'

const names = catalog.map(({ name }) => name).join(', ')
document.getElementById('about')!.innerHTML =
  `<main><h1>${motto}</h1><p>${names}.</p><p><a href="./index.html">To the shop</a></p></main>`

evaluated('about', import.meta.url)
