import { availableParallelism, cpus, loadavg } from 'node:os'

/** What results depend on besides the code, without what would name the machine. */
export function describeMachine(): Record<string, string> {
  return {
    processor: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    node: `Node ${process.versions.node}`,
  }
}

/** How busy the machine was in the last minute: above the number of processors, times are noise. */
export const loadAverage = (): string => loadavg()[0]!.toFixed(1)
