import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { copyApp, createApp, lazy, runScript, succeed } from '../support/readme-app.ts'
import { keyTextOf } from '../support/readme-app.ts'

// The commands and files of docs/node.md, followed in an app of one's own that has this package installed.

const page = readDocument('docs/node.md')
const [commands] = blocksOf(sectionOf(page, 'Sign and start'), 'sh')
const [shown] = blocksOf(sectionOf(page, 'Sign and start'), 'text')
const [configuration] = blocksOf(sectionOf(page, 'What it is told'), 'json')
const [boot] = blocksOf(sectionOf(page, 'In code'), 'js')
const [startWithBoot] = blocksOf(sectionOf(page, 'In code'), 'sh')
