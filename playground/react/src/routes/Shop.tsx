import { add } from '../basket.ts'
import { catalog, motto, price } from '../../../common/catalog.ts'
import { evaluated } from '../../../common/log.ts'
import './Shop.css'

export default function Shop() {
  return (
    <section id="shop" className="shop">
      <h2>{motto}</h2>
      <ul>
        {catalog.map(({ id, name, from, cents }) => (
          <li key={id}>
            <strong>{name}</strong>
            <span>{from}</span>
            <button onClick={() => add(id)}>{price(cents)}</button>
          </li>
        ))}
      </ul>
    </section>
  )
}

evaluated('Shop', import.meta.url)
