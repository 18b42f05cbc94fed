import { posix, win32 } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isModuleOf } from '../../src/plugin/guard.ts'
import { emittedPath, isInside, isSameFile } from '../../src/tree/system-path.ts'

// The rules of both kinds of systems, on whichever this runs.

test('Windows takes either slash and any letter case for one file', () => {
  for (const [one, other] of [
    ['C:\\app\\release.pem', 'C:/app/release.pem'],
    ['C:\\app\\release.pem', 'c:/app/release.pem'],
    ['C:\\app\\Release.PEM', 'c:\\APP\\release.pem'],
    ['C:\\app\\keys\\..\\release.pem', 'C:/app/./release.pem'],
    ['\\\\host\\share\\release.pem', '//host/share/release.pem'],
    ['C:\\käse #1\\50%.pem', 'C:/käse #1/50%.pem'],
  ] as const)
    assert.ok(isSameFile(one, other, win32), `${one} ${other}`)
  for (const [one, other] of [
    ['C:\\app\\release.pem', 'D:/app/release.pem'],
    ['C:\\app\\release.pem', 'C:/app/release.pem.pub'],
    ['C:\\app\\release.pem', 'C:/app'],
  ] as const)
    assert.not.ok(isSameFile(one, other, win32), `${one} ${other}`)
})

test('elsewhere a letter and its capital are two, and a backslash is a character', () => {
  assert.ok(isSameFile('/app/release.pem', '/app/x/../release.pem', posix))
  assert.not.ok(isSameFile('/app/release.pem', '/app/Release.pem', posix))
  assert.not.ok(isSameFile('/app/a/b.pem', '/app/a\\b.pem', posix))
})

test('a file is inside a folder by whole segments, on the same drive', () => {
  for (const [folder, file] of [
    ['C:\\app\\public', 'C:\\app\\public\\release.pem'],
    ['C:/app/public', 'c:\\App\\Public\\deep\\release.pem'],
    ['C:\\', 'C:\\release.pem'],
    ['C:\\app', 'C:\\app\\..release.pem'],
  ] as const)
    assert.ok(isInside(folder, file, win32), `${folder} ${file}`)
  for (const [folder, file] of [
    ['C:\\app\\public', 'C:\\app\\public.pem'],
    ['C:\\app\\public', 'C:\\app\\public2\\release.pem'],
    ['C:\\app\\public', 'D:\\app\\public\\release.pem'],
    ['C:\\app\\public', 'C:\\app\\public'],
    ['C:\\app\\public', 'C:\\app'],
  ] as const)
    assert.not.ok(isInside(folder, file, win32), `${folder} ${file}`)
  for (const [folder, file, expected] of [
    ['/app/dist', '/app/dist/a/release.pem', true],
    ['/', '/release.pem', true],
    ['/app/dist', '/app/dist/..keys/release.pem', true],
    ['/app/dist', '/app/distance/release.pem', false],
    ['/app/dist', '/app/release.pem', false],
    ['/app/dist', '/app', false],
    ['/app/dist', '/app/Dist/release.pem', false],
  ] as const)
    assert.is(isInside(folder, file, posix), expected, `${folder} ${file}`)
})

test("a module's id is the key, whatever its query, and wherever the project is", () => {
  for (const [id, file] of [
    ['C:/app/release.pem', 'C:\\app\\release.pem'],
    ['C:/app/release.pem?raw', 'C:\\app\\release.pem'],
    ['c:/app/Release.pem?url#x?y', 'C:\\app\\release.pem'],
    ['C:/c #/what?/release.pem?raw', 'C:\\c #\\what?\\release.pem'],
  ] as const)
    assert.ok(isModuleOf(id, file, win32), id)
  for (const [id, file, expected] of [
    ['/c#/app/release.pem?raw', '/c#/app/release.pem', true],
    ['/c#/why?/release.pem#a?b', '/c#/why?/release.pem', true],
    ['/app/release.pem', '/app/release.pem', true],
    ['/app/release.pem?a/../b', '/app/release.pem', true],
    ['/app/release.pem.pub?raw', '/app/release.pem', false],
    ['/app/main.js?from=/app/release.pem', '/app/release.pem', false],
    ['\0virtual:release.pem', '/app/release.pem', false],
  ] as const)
    assert.is(isModuleOf(id, file, posix), expected, id)
})

test('names of emitted files are paths, where plugins join them with backslashes too', () => {
  assert.is(emittedPath('assets\\icons\\a.png', win32), 'assets/icons/a.png')
  assert.is(emittedPath('assets/a.png', win32), 'assets/a.png')
  assert.is(emittedPath('assets\\a.png', posix), 'assets\\a.png')
})

test.run()
