/** What `rewriteModule` puts behind a module that has `import()`: the name of its wrapper. */
const wrapper = /function (_simp\w*)\(s,o\)\{return __signedimp\.import\(/

/**
 * The text of a module with `import()` where `rewriteModule` has put its wrapper, so that a lexer sees what is imported.
 * Nothing moves. A module that was not rewritten stays as it is.
 */
export function unwrapImports(code: string): string {
  const [declaration, name] = wrapper.exec(code) ?? []
  if (declaration === undefined || name === undefined) return code
  const unnamed = declaration.replace(name, '_'.repeat(name.length))
  return code.replace(declaration, () => unnamed).replaceAll(name, 'import')
}
