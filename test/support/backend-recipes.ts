import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildSource, type Source } from './entry-recipes.ts'
import { writeFiles } from './fixture.ts'
import { blocksOf, readDocument, sectionOf } from './markdown.ts'
import { startHelper } from './processes.ts'

/** A section of docs/backends.md: how its backend is built for, and how its code is run. */
export interface Backend {
  section: string
  /** Where the entry's source is, below the project. */
  source: string
  /** Its name in the list. @default its path */
  name?: string
  /** The output, below the project. */
  output: string
  /** Language of the block that reads the list, and what runs it. */
  language: string
  command: string
  /** Where that block's code goes, below the project. */
  file: string
  /** Code that prints what a page gets, without a nonce and with {@link nonce}, as a list in JSON. */
  run: string
  /** What the framework brings, as far as the block uses it. */
  bring?: Record<string, string>
}

const page = readDocument('docs/backends.md')

/** The nonce that recipes are run with. */
export const nonce = 'bm9uY2U='

/** The backends whose recipes can be run without their frameworks. */
export const backends: Backend[] = [
  {
    section: 'Laravel',
    source: 'resources/js/app.js',
    output: 'public/build',
    language: 'php',
    command: 'php',
    file: 'app/helpers.php',
    run: `<?php
function public_path(string $path): string { return __DIR__ . '/public/' . $path; }
function e(string $text): string { return htmlspecialchars($text); }
require 'app/helpers.php';
$entry = 'resources/js/app.js';
echo json_encode([signedimp($entry), signedimp($entry, 'bm9uY2U=')]);
try { signedimp('resources/js/none.js'); echo 'no error'; } catch (InvalidArgumentException) {}
`,
  },
  {
    section: 'Rails',
    source: 'app/frontend/entrypoints/application.js',
    output: 'public/vite',
    name: 'entrypoints/application.js',
    language: 'ruby',
    command: 'ruby',
    file: 'app/helpers/signedimp_helper.rb',
    run: `require 'json'
require 'erb'
require 'pathname'
module Rails
  def self.public_path = Pathname.new(__dir__).join('public')
end
class String
  def html_safe = self
end
require './app/helpers/signedimp_helper'
include SignedimpHelper
entry = 'entrypoints/application.js'
print JSON.generate([signedimp_tags(entry), signedimp_tags(entry, nonce: 'bm9uY2U=')])
begin
  signedimp_tags('none.js')
  print 'no error'
rescue KeyError
end
`,
  },
  {
    section: 'Django',
    source: 'frontend/main.js',
    output: 'dist',
    language: 'python',
    command: 'python3',
    file: 'shop/templatetags/signedimp.py',
    run: `import json, sys
sys.path.insert(0, 'stand-ins')
from shop.templatetags.signedimp import signedimp
entry = 'frontend/main.js'
print(json.dumps([signedimp(entry), signedimp(entry, 'bm9uY2U=')]), end='')
try:
    signedimp('none.js')
    print('no error')
except KeyError:
    pass
`,
    bring: {
      'stand-ins/django/__init__.py': '',
      'stand-ins/django/conf.py': `class settings:
    BASE_DIR = '.'
`,
      'stand-ins/django/template.py': `class Library:
    def simple_tag(self, function):
        return function
`,
      'stand-ins/django/utils/__init__.py': '',
      'stand-ins/django/utils/html.py': 'from html import escape\n',
      'stand-ins/django/utils/safestring.py': 'mark_safe = str\n',
    },
  },
]

/** The blocks of a section in a language. */
export const blocksIn = (section: string, language: string): string[] =>
  blocksOf(sectionOf(page, section), language)

/** Builds an entry as a section says. @returns the project */
export async function buildFor(source: Omit<Source, 'isStyled'> & { section: string }) {
  const [config] = blocksIn(source.section, 'js')
  return (await buildSource({ ...source, isStyled: true }, config!)).root
}

/** Why a recipe cannot be run here, if so. */
export const whyNoInterpreter = ({ command }: Backend): string | undefined =>
  spawnSync(command, ['--version']).status === 0 ? undefined : `${command} is not installed`

/** Runs a recipe as it stands in the document. @returns what a page gets without a nonce, and with {@link nonce} */
export async function runRecipe(backend: Backend, root: string): Promise<string[]> {
  const { section, language, file, run, bring, command } = backend
  const [code] = blocksIn(section, language)
  await writeFiles(root, { ...bring, [file]: code!, run })
  const { status, stdout, stderr } = spawnSync(command, ['run'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as string[]
}

/** The folder that a backend reads. */
export const outputOf = ({ output }: Backend, root: string): string => join(root, output)

/** As much of Express as the recipe uses. It says where it listens. */
const expressStandIn = `import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
const types = { '.js': 'text/javascript', '.css': 'text/css' }
export default function express() {
  const handlers = []
  return {
    use: (handler) => handlers.push(handler),
    get: (path, handler) =>
      handlers.push((request, response, next) =>
        request.url === path ? handler(request, response) : next()),
    listen(port) {
      const server = createServer((request, response) => {
        response.set = (name, value) => response.setHeader(name, value)
        response.send = (text) => response.setHeader('Content-Type', 'text/html').end(text)
        const left = [...handlers]
        const next = () => (left.shift() ?? (() => response.writeHead(404).end()))(request, response, next)
        next()
      })
      server.listen(port, '127.0.0.1', () => console.log('port ' + server.address().port))
    },
  }
}
express.static = (folder) => ({ url }, response, next) => {
  try {
    const body = readFileSync(join(folder, url))
    response.setHeader('Content-Type', types[extname(url)] ?? 'text/plain').end(body)
  } catch {
    next()
  }
}
`

/** Runs the server of the section on Express, as it stands there. @returns its address, and what ends it */
export async function startExpress(root: string) {
  const [, server] = blocksIn('Express', 'js')
  await writeFiles(root, {
    'server.js': server!,
    'node_modules/express/package.json': '{"type":"module","exports":"./index.js"}',
    'node_modules/express/index.js': expressStandIn,
  })
  const helper = await startHelper('sh', ['-c', 'cd "$1" && exec node server.js', 'sh', root], {
    env: { PORT: '0' },
    ready: /^port (\d+)$/m,
  })
  return { url: `http://127.0.0.1:${helper.ready}/`, stop: helper.stop }
}
