import { catalog, motto } from '../../common/catalog.ts'
import { evaluated } from '../../common/log.ts'
import '../../common/look.css'

const names = catalog.map(({ name }) => name).join(', ')
document.getElementById('about')!.innerHTML =
  `<main><h1>${motto}</h1><p>${names}.</p><p><a href="./index.html">To the shop</a></p></main>`

evaluated('about', import.meta.url)
