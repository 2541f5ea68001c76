// How a program that makes spans is set up, by its first argument, and how it delivers what it has made.
const { flush, shutdown } =
  process.argv[2] === 'sdk'
    ? await import('./sdk.js')
    : process.argv[2] === 'threadspan'
      ? await import(process.env.BENCH_INDEX)
      : { flush() {} }

if (shutdown !== undefined) process.once('disconnect', shutdown)

export { flush }
