import { emit } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const v = '# signedimp: 1'
const name = '# name: shop'
const build = '# build: 41'
const expires = '# expires: 2099-01-01T00:00:00Z'
const imports = '# import: a.js\t1-2 a.js'

const texts: Record<string, string> = {
  'two names': textOf({ directives: [v, name, '# name: other'] }),
  'two names, the same': textOf({ directives: [v, name, name] }),
  'two builds': textOf({ directives: [v, name, build, '# build: 42'] }),
  'two versions': textOf({ directives: [v, v, name] }),
  'two expiries': textOf({ directives: [v, name, expires, expires] }),
  'another version': textOf({ directives: ['# signedimp: 2', name] }),
  'no version': textOf({ directives: [name] }),
  'no name': textOf({ directives: [v] }),
  'an unknown directive': textOf({ directives: [v, name, '# critical: yes'] }),
  'an unknown directive first': textOf({ directives: ['# hello: 1', v, name] }),
  'a comment': textOf({ directives: [v, name, '# hello'] }),
  'in another order': textOf({ directives: [name, v] }),
  'build before name': textOf({ directives: [v, build, name] }),
  'expiry before build': textOf({ directives: [v, name, expires, build] }),
  'an import before the name': textOf({ directives: [v, imports, name] }),
  'before the hash type': `${v}\n${textOf({ directives: [name] })}`,
  'after a file': textOf({ files: [file('a.js'), build] }),
  'an import after a file': textOf({ files: [file('a.js'), imports] }),
  'between files': textOf({ files: [file('a.js'), '# name: other', file('b.js')] }),
  'at the end': textOf({ files: [file('a.js'), '# expires: 2000-01-01T00:00:00Z'] }),
  'imports of one module twice': textOf({ directives: [v, name, imports, imports] }),
  'imports of a file that is not listed': textOf({
    directives: [v, name, '# import: b.js\t1-2 a.js'],
  }),
  'an import that is not listed': textOf({ directives: [v, name, '# import: a.js\t1-2 b.js'] }),
  'an import without a place': textOf({ directives: [v, name, '# import: a.js\ta.js'] }),
  'an import of nothing': textOf({ directives: [v, name, '# import: a.js\t'] }),
  'an empty value': textOf({ directives: [v, name, '# build: '] }),
  'a date that is none': textOf({ directives: [v, name, '# expires: 2099-02-30T00:00:00Z'] }),
  'a date with an offset': textOf({
    directives: [v, name, '# expires: 2099-01-01T00:00:00+00:00'],
  }),
  'a date with parts of seconds': textOf({
    directives: [v, name, '# expires: 2099-01-01T00:00:00.000Z'],
  }),
  'a date of a year with six digits': textOf({
    directives: [v, name, '# expires: +012099-01-01T00:00Z'],
  }),
  capitals: textOf({ directives: [v, '# Name: shop'] }),
}

attack(
  124,
  'directives twice, unknown, misplaced or malformed',
  { variants: Object.keys(texts), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await signed(texts[variant]!, publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

const names = ['shop\n# build: 99', 'shop\r', 'shop\u2028x', 'shop\u0085', 'shop\0']

attack(
  124,
  'a line break in the name',
  { variants: names.map((value) => JSON.stringify(value)), quick: true },
  async (variant) => {
    try {
      await emit({}, { name: JSON.parse(variant) as string })
    } catch (error) {
      if (!(error instanceof TypeError && error.message.includes('"name"'))) throw error
      return 'refused TypeError that names the option'
    }
    throw new Error('the build accepted it')
  },
)

attacks.run()
