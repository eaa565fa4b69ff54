/** A section's texts in another language: the same keys, nothing missing. */
export type SameKeys<T> = { readonly [K in keyof T]: string };
