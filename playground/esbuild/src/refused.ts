import { evaluated, note } from '../../common/log.ts'

/** Shows why a page could not be loaded in its place, and leaves the rest of the app alone. */
export function refused(place: Element, error: Error & { code?: string }, again: () => void): void {
  const code = error.code ?? error.name
  note(`refused ${code}: ${error.message}`)
  place.innerHTML = `<section id="refused" class="refused">
    <h2>This page was not loaded</h2>
    <p><code></code></p>
    <p id="reason"></p>
    <button id="again">Try again</button>
  </section>`
  place.querySelector('code')!.textContent = code
  place.querySelector('#reason')!.textContent = error.message
  place.querySelector<HTMLElement>('#again')!.onclick = again
}

evaluated('refused', import.meta.url)
