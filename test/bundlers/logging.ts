/** A logger for Vite, and what it was told. */
export function logging() {
  const lines: string[] = []
  const note = (kind: string) => (text: string) => void lines.push(`${kind}: ${text}`)
  const logger = {
    info: note('info'),
    warn: note('warn'),
    warnOnce: note('warn'),
    error: note('error'),
    clearScreen() {},
    hasErrorLogged: () => false,
    hasWarned: false,
  }
  return { logger, said: () => lines.join('\n') }
}
