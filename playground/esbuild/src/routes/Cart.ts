import { catalog, price } from '../../../common/catalog.ts'
import { evaluated } from '../../../common/log.ts'
import { basket } from '../basket.ts'

/** What was put into the basket. */
export function html(): string {
  const rows = catalog
    .map((cheese) => ({ ...cheese, count: basket.filter((id) => id === cheese.id).length }))
    .filter(({ count }) => count > 0)
  const total = rows.reduce((sum, { count, cents }) => sum + count * cents, 0)
  const lines = rows.map(
    ({ name, count, cents }) => `<p>${count} × ${name}<span>${price(count * cents)}</span></p>`,
  )
  return `<section id="cart" class="cart"><h2>Your basket</h2>${lines.join('') || '<p>Nothing in it — yet.</p>'}
    <p><strong>${price(total)}</strong></p></section>`
}

evaluated('Cart', import.meta.url)
