import { catalog, motto, price } from '../../../common/catalog.ts'
import { evaluated } from '../../../common/log.ts'
import { add } from '../basket.ts'

/** What there is to buy. */
export const html = (): string =>
  `<section id="shop" class="shop"><h2>${motto}</h2><ul>${catalog
    .map(
      ({ id, name, from, cents }) =>
        `<li><strong>${name}</strong><span>${from}</span><button data-id="${id}">${price(cents)}</button></li>`,
    )
    .join('')}</ul></section>`

/** Makes the buttons buy. */
export function shown(): void {
  for (const button of document.querySelectorAll<HTMLElement>('#shop button'))
    button.onclick = () => add(button.dataset.id!)
}

evaluated('Shop', import.meta.url)
