/** Set when the bootstrap is built: whether any of its keys signs in DER. Dead code goes. */
declare const __DER__: boolean

/** Set when the bootstrap is built: whether it can do without the engine's cryptography. */
declare const __PURE__: boolean

/** Set when the bootstrap is built: whether it remembers builds. */
declare const __REMEMBER__: boolean

/** Set when the bootstrap is built: whether it is the module form, an entry file's own, and not a page's. */
declare const __MODULE__: boolean

/** Stands in the built bootstrap once, for the plugin to put the pinned keys in its place. */
declare const __SIGNEDIMP_PINNED__: import('./context.js').Pinned

/** Stands in the built module bootstrap once, for what the plugin knows of the entry. */
declare const __SIGNEDIMP_ENTRY__: import('../manifest/linking.js').Entry

/** The function around the file that guards workers: its text is what a worker starts with. */
declare const $signedimp: unknown

/** What that function was given: by the page's file, what the build knows of workers; in a worker, what its maker does. */
declare const $boot:
  import('../manifest/worker-plan.js').WorkerPlan | import('./worker/boot.js').WorkerBoot

/** HTML, "WorkerLocation": a page has none. */
declare const WorkerLocation: { prototype: object }

/** HTML, "importScripts": a page has none. */
declare var importScripts: (...urls: string[]) => void
/** Stands in the built guard of `fetch` once, for the plugin to put the pattern of the files in its place that are guarded. */
declare const __SIGNEDIMP_GUARDED__: string

/** What the bootstrap leaves for its runtime, which adds what the chunks use. */
declare const __signedimp: unknown

/** Trusted Types (W3C), in as far as scripts of ours need them: what a policy makes is a text to TypeScript. */
declare const trustedTypes: {
  createPolicy<Rules>(name: string, rules: Rules): Rules
}
