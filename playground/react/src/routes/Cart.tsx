import { useBasket } from '../basket.ts'
import { catalog, price } from '../../../common/catalog.ts'
import { evaluated } from '../../../common/log.ts'
import styles from './Cart.module.css'

export default function Cart() {
  const basket = useBasket()
  const rows = catalog
    .map((cheese) => ({ ...cheese, count: basket.filter((id) => id === cheese.id).length }))
    .filter(({ count }) => count > 0)
  const total = rows.reduce((sum, { count, cents }) => sum + count * cents, 0)
  return (
    <section id="cart" className={styles.cart}>
      <h2>Your basket</h2>
      {rows.length === 0 && <p>Nothing in it — yet.</p>}
      {rows.map(({ id, name, count, cents }) => (
        <p key={id} className={styles.row}>
          <span>
            {count} × {name}
          </span>
          <span>{price(count * cents)}</span>
        </p>
      ))}
      <p className={styles.total}>{price(total)}</p>
    </section>
  )
}

evaluated('Cart', import.meta.url)
