import { test } from 'uvu'
import { skip } from '../support/skip.ts'
test('ok', () => {})
skip(test, 'needs deno', 'deno is not installed')
test.run()
