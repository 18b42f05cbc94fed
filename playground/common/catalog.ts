import cheeses from './cheeses.json'
import { evaluated } from './log.ts'

/** One thing to buy. */
export interface Cheese {
  id: string
  name: string
  from: string
  cents: number
}

/** All there is to buy. An array, because bundlers copy plain constants into the modules that use them. */
export const catalog: Cheese[] = cheeses.map((cheese) => ({ ...cheese }))

/** The shop's greeting; not ASCII, so that one sees when a chunk is decoded wrongly. */
export const motto = ['À table', 'crème fraîche', '🧀'].join(' · ')

/** A price as it is printed. */
export const price = (cents: number): string =>
  new Intl.NumberFormat('fr-FR', { style: 'currency', currency: 'EUR' }).format(cents / 100)

evaluated('catalog', import.meta.url)
