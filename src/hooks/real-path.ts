import { node } from './captured.js'

/** Where a path leads, through all links: the path itself where nothing is there. */
export function realPath(path: string): string {
  try {
    return node.realpathSync(path)
  } catch {
    return path
  }
}
