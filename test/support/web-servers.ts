import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { programOf } from './binaries.ts'
import { blocksOf, readDocument, sectionOf } from './markdown.ts'
import { scratchFolder, startHelper } from './processes.ts'

/** A real web server on the loopback interface. */
export interface WebServer {
  /** Of the first port, with a slash. */
  url: string
  /** Ends the server, by its id. */
  stop(): Promise<void>
}

/** A port that nobody listens to. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

const isRoot = process.getuid?.() === 0

/** Who Apache runs as when root starts it. */
const nobody = { uid: 65534, gid: 65534 }

/**
 * A copy of a folder that another user may read, as servers that were started by root are: whatever the umask, and
 * though the folder for temporary files may be closed to others.
 */
export function copyToServe(folder: string, under = ''): string {
  for (const parent of [tmpdir(), '/var/tmp', '/dev/shm']) {
    const copy = scratchFolder(parent)
    cpSync(folder, join(copy, under), { recursive: true })
    openToAll(copy)
    if (!isRoot || isReadable(copy)) return copy
  }
  throw new Error('no folder for temporary files is open to other users')
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
}

/** Whether Apache's user reaches it: what the modes of all folders above allow, and where it stands besides. */
const isReadable = (folder: string): boolean =>
  spawnSync('test', ['-x', folder], { ...nobody, cwd: '/' }).status === 0

/** What is needed for a page that no folder has: Debian's own files of nginx and Apache are not read. */
const types = {
  'text/html': 'html',
  'text/javascript': 'js',
  'text/css': 'css',
  'text/plain': 'txt',
}

/** The server block of docs/deploy.md for a folder at a port, with a page for what is missing. */
export const nginxServer = (port: number, folder: string, include: string): string =>
  Object.entries({
    'listen 80;': `listen 127.0.0.1:${port};`,
    '/srv/shop/signedimp-headers.nginx.conf': `"${include}"`,
    '/srv/shop;': `"${folder}";`,
    'location /assets/ {': 'location /assets/ { error_page 404 /404.html;',
  }).reduce(replaceOnce, documented)

const [documented = ''] = blocksOf(
  sectionOf(readDocument('docs/deploy.md'), 'Headers for your server'),
  'nginx',
)

function replaceOnce(text: string, [from, to]: [string, string]): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`not once in docs/deploy.md: ${from}`)
  return parts.join(to)
}

/** Starts nginx with server blocks. */
export async function startNginx(port: number, ...servers: string[]): Promise<WebServer> {
  const dir = scratchFolder()
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path "${dir}/${name}";`,
  )
  const known = Object.entries(types).map(([type, extension]) => `${type} ${extension};`)
  const config = `${isRoot ? 'user root;' : ''}
daemon off;
master_process off;
pid "${dir}/pid";
error_log stderr notice;
events { worker_connections 64; }
http {
  access_log off;
  ${paths.join(' ')}
  types { ${known.join(' ')} }
  ${servers.join('')}
}
`
  writeFileSync(join(dir, 'nginx.conf'), config)
  const args = ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')]
  const { stop } = await startHelper(programOf('nginx'), args, { ready: /event method/ })
  return { url: `http://127.0.0.1:${port}/`, stop }
}

/** Starts Apache for a folder, whose own `.htaccess` it reads. */
export async function startApache(port: number, folder: string): Promise<WebServer> {
  const dir = scratchFolder()
  const modules = ['mpm_event', 'authz_core', 'mime', 'negotiation', 'dir', 'headers']
  const config = `ServerRoot "${dir}"
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${isRoot ? `User #${nobody.uid}\nGroup #${nobody.gid}` : ''}
Listen 127.0.0.1:${port}
ServerName 127.0.0.1
PidFile "${dir}/pid"
ErrorLog "${dir}/error.log"
DocumentRoot "${folder}"
TypesConfig /dev/null
${Object.entries(types)
  .map(([type, extension]) => `AddType ${type} .${extension}`)
  .join('\n')}
DirectoryIndex index.html
ErrorDocument 404 /404.html
<Directory "${folder}">
  AllowOverride FileInfo
  Options +MultiViews
  Require all granted
  FallbackResource /index.html
</Directory>
<Directory "${folder}/assets">
  FallbackResource disabled
</Directory>
`
  writeFileSync(join(dir, 'apache.conf'), config)
  const args = ['-X', '-f', join(dir, 'apache.conf')]
  const { stop } = await startHelper(programOf('apache'), args)
  try {
    await waitForPort(port)
  } catch (error) {
    await stop()
    throw new Error(readFileSync(join(dir, 'error.log'), 'utf8'), { cause: error })
  }
  return { url: `http://127.0.0.1:${port}/`, stop }
}

/** Waits until somebody listens: Apache tells it to nobody but a file. */
async function waitForPort(port: number): Promise<void> {
  for (let left = 100; ; left--) {
    const isOpen = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    if (isOpen) return
    if (left === 0) throw new Error(`nobody listens at ${port}`)
    await wait(100)
  }
}
