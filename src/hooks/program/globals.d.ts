/** Stands in the built bootstrap of a program once, for what the plugin knows of it. */
declare const __SIGNEDIMP_PROGRAM__: import('../../manifest/program.js').Program

/** Stands in that of a script once, for the name of the main chunk from its own folder. */
declare const __SIGNEDIMP_MAIN__: string

/** Stands in what `signedimp bootstrap` prints once, for whom to trust. */
declare const __SIGNEDIMP_TRUST__: Omit<import('../root.js').RootOptions, 'base'>
