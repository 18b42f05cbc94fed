import { Component, type ReactNode } from 'react'
import { evaluated, note } from '../../common/log.ts'

interface Props {
  again: () => void
  children: ReactNode
}

/** Stands in for a page that could not be loaded, says why, and leaves the rest of the app alone. */
export class Refused extends Component<Props, { error?: Error & { code?: string } }> {
  override state: { error?: Error & { code?: string } } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override componentDidCatch(error: Error & { code?: string }) {
    note(`refused ${error.code ?? error.name}: ${error.message}`)
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <section id="refused" className="refused">
        <h2>This page was not loaded</h2>
        <p>
          <code>{error.code ?? error.name}</code>
        </p>
        <p>{error.message}</p>
        <button id="again" onClick={this.props.again}>
          Try again
        </button>
      </section>
    )
  }
}

evaluated('Refused', import.meta.url)
