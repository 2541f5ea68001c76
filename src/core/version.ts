/** The version of this package. A test holds it to package.json, which bundles do not carry. */
export const VERSION = '0.1.0'
