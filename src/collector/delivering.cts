/** Delivery without a telemetry thread. In a file of its own, since every thread would parse it for the ends of few processes. */
export { deliverDirectly } from './direct-delivery.js'
