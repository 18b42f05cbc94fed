/** Code that stands in attributes. */
import type { Element } from './tags.js'

/** Code of an attribute, and where it is. */
export interface AttributeCode {
  tagName: string
  attribute: string
  code: string
}

const isAddress = /^(href|src|action|formaction|data|from|to|values)$/

/** As URLs are parsed, which takes no notice of controls and spaces there (URL, "basic URL parser"). */
const scriptUrl = /^javascript:/i

/** Event handlers, and addresses that are scripts. */
export function* codeInAttributes(elements: Iterable<Element>): Generator<AttributeCode> {
  for (const { tagName, attrs } of elements)
    for (const { name: attribute, value } of attrs) {
      const url = value.replace(/[\0-\x20]/g, '')
      if (/^on[a-z]+$/.test(attribute)) yield { tagName, attribute, code: value }
      else if (isAddress.test(attribute) && scriptUrl.test(url))
        yield { tagName, attribute, code: decodePercent(url.replace(scriptUrl, '')) }
    }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
