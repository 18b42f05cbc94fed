import { test } from 'uvu'
import { launch, engines } from '../support/browsers.ts'
test('opens all and hangs', async () => { for (const e of engines) await (await launch(e)).open('about:blank'); console.error('hanging'); for (;;) {} })
test.run()
