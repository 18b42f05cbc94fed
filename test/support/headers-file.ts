/**
 * Reads a `_headers` file by what its hosts document of it, strictly: a comment begins with `#`; a rule is a path
 * without indentation, and below it indented lines with a header each; rules that match one path add up. So that they
 * cannot, each path may stand there once here, and have no pattern in it.
 * (https://developers.cloudflare.com/pages/configuration/headers/, https://docs.netlify.com/routing/headers/)
 */
export function readHeadersFile(text: string): Map<string, Record<string, string>> {
  const rules = new Map<string, Record<string, string>>()
  let open: Record<string, string> | undefined
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    if (line.length > 2000) throw new Error(`longer than Cloudflare takes: ${line}`)
    const [, name, value] = /^[ \t]+([A-Za-z-]+): (\S.*)$/.exec(line) ?? []
    if (name !== undefined && open) {
      if (name in open) throw new Error(`twice: ${line}`)
      open[name] = value!
    } else if (/^\/[^\s*:]*$/.test(line) && !rules.has(line)) rules.set(line, (open = {}))
    else throw new Error(`no rule and no header: ${line}`)
  }
  return rules
}
