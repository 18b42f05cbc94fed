/** Set when the bootstrap is built: whether any of its keys signs in DER. Dead code goes. */
declare const __DER__: boolean

/** Stands in the built bootstrap once, for the plugin to put the pinned keys in its place. */
declare const __SIGNEDIMP_PINNED__: import('./context.js').Pinned

/** What the bootstrap leaves for the runtime, which adds what the chunks use. */
declare const __signedimp: import('./context.js').Boot & Partial<import('./context.js').Runtime>
