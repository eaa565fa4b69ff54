/** The version of the integration, from its manifest; put in by the build. */
declare const __VERSION__: string;
