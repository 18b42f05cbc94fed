/** What YAML of our documents holds. */
export type Yaml = string | Yaml[] | { [key: string]: Yaml }

interface Line {
  indent: number
  text: string
}

/**
 * Reads the YAML of our documents: maps and lists by indent, lists in brackets, plain texts and those behind `|`, comments.
 * What it does not know is an error.
 */
export function parseYaml(source: string): Yaml {
  const lines = source
    .split('\n')
    .map((text) => ({ indent: text.search(/\S/), text: text.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'))
  const value = readBlock(lines, lines[0]!.indent)
  if (lines.length > 0) throw new Error(`cannot read "${lines[0]!.text}"`)
  return value
}

function readBlock(lines: Line[], indent: number): Yaml {
  return lines[0]!.text.startsWith('- ') ? readList(lines, indent) : readMap(lines, indent)
}

function readList(lines: Line[], indent: number): Yaml[] {
  const list: Yaml[] = []
  while (lines[0]?.indent === indent && lines[0].text.startsWith('- ')) {
    const text = lines[0].text.slice(2)
    // What stands behind the dash is the first line of a map, if it is one.
    lines[0] = { indent: indent + 2, text }
    list.push(isKey(text) ? readMap(lines, indent + 2) : scalar(lines.shift()!.text))
  }
  return list
}

const isKey = (text: string): boolean => /^[\w-]+:( |$)/.test(text)

function readMap(lines: Line[], indent: number): Yaml {
  const map: { [key: string]: Yaml } = {}
  while (lines[0]?.indent === indent && isKey(lines[0].text)) {
    const [, key, rest] = /^([\w-]+):\s*(.*)$/.exec(lines.shift()!.text)!
    map[key!] = readValue(lines, indent, rest!)
  }
  return map
}

function readValue(lines: Line[], indent: number, rest: string): Yaml {
  if (rest !== '' && rest !== '|') return scalar(rest)
  const inside = lines[0]?.indent ?? 0
  if (inside <= indent) throw new Error(`nothing stands under a key before "${lines[0]?.text}"`)
  if (rest === '') return readBlock(lines, inside)
  let text = ''
  while (lines[0] && lines[0].indent >= inside)
    text += `${' '.repeat(lines[0].indent - inside)}${lines.shift()!.text}\n`
  return text
}

function scalar(text: string): Yaml {
  const plain = text.replace(/ #.*$/, '').trim()
  const [, items] = /^\[(.*)\]$/.exec(plain) ?? []
  return items === undefined ? plain : items.split(',').map((item) => item.trim())
}
