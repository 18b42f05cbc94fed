import { evaluated } from '../../../common/log.ts'
import map from '../../../common/map.svg'
import './Visit.css'

export default function Visit() {
  return (
    <section id="visit" className="visit">
      <h2>Visit us</h2>
      <img src={map} alt="The way from the church to the shop" width="320" height="200" />
      <p>12, rue de la Fontaine — open on market days, from the first bell to the last wheel.</p>
    </section>
  )
}

evaluated('Visit', import.meta.url)
