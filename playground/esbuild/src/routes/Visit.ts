import { evaluated } from '../../../common/log.ts'
import map from '../../../common/map.svg'

/** The way to the shop. */
export const html = (): string => `<section id="visit" class="visit"><h2>Visit us</h2>
  <img src="${new URL(map, import.meta.url)}" alt="The way from the church to the shop" width="320" height="200">
  <p>12, rue de la Fontaine — open on market days, from the first bell to the last wheel.</p></section>`

evaluated('Visit', import.meta.url)
