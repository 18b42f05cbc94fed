import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binaryOf } from './binaries.ts'
import { scratchFolder, startHelper, type Helper } from './processes.ts'

/** The browsers that a process can start and another one drive: they are reached by an address. */
export type JoinableName = 'chromium' | 'firefox'

/**
 * The variable that names the address of a browser which runs already, for whoever would start one: a WebSocket URL, as
 * {@link startBrowser} gives it.
 */
export const addressVariable: Record<JoinableName, string> = {
  chromium: 'SIGNEDIMP_RUNNING_CHROMIUM',
  firefox: 'SIGNEDIMP_RUNNING_FIREFOX',
}

/** Starts a browser with a profile of its own. Its `ready` is its address. */
export function startBrowser(name: JoinableName): Promise<Helper> {
  return starters[name]()
}

const starters: Record<JoinableName, () => Promise<Helper>> = {
  chromium: startChromium,
  firefox: startFirefox,
}

// The address bar's list of suggestions is a page of the browser's own, which each window loads before anybody types:
// more work than the page under test.
const ownPages = 'WebUIOmniboxPopup,WebUIOmniboxAimPopup,PreloadTopChromeWebUI'

async function startChromium(): Promise<Helper> {
  const folder = scratchFolder()
  const flags =
    'disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync'
  const args = flags.split(' ').map((flag) => `--${flag}`)
  return startHelper(
    binaryOf('chromium', 'chromium'),
    [
      '--headless=new',
      '--no-sandbox',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      `--disable-features=${ownPages}`,
      ...args,
      'about:blank',
    ],
    { ready: /DevTools listening on (ws:\S+)/, env: { HOME: folder, TMPDIR: folder } },
  )
}

/** Its settings are the defaults, but for start-up pages. */
async function startFirefox(): Promise<Helper> {
  const folder = scratchFolder()
  const settings = { 'browser.shell.checkDefaultBrowser': false, 'browser.startup.page': 0 }
  const lines = Object.entries(settings).map(([name, value]) => `user_pref("${name}", ${value});`)
  await writeFile(join(folder, 'user.js'), lines.join('\n'))
  const helper = await startHelper(
    binaryOf('firefox', 'firefox'),
    ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', folder, 'about:blank'],
    { ready: /WebDriver BiDi listening on (ws:\S+)/, env: { HOME: folder, TMPDIR: folder } },
  )
  return { ...helper, ready: `${helper.ready}/session` }
}
