/** Where OpenTelemetry's API 1.x keeps what is registered, whichever copy of it. */
export const API_KEY = Symbol.for('opentelemetry.js.api.1')
