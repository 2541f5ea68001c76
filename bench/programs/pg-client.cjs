// Asks PostgreSQL one statement in each of so many requests, and says how much processor time its process has used.
const { trace } = require('@opentelemetry/api')
const { Pool } = require('pg')

const pool = new Pool({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'postgres', max: 4 })
const tracer = trace.getTracer('bench')
process.once('disconnect', () => void pool.end())

async function main() {
  await pool.query('select 1')
  const { serve } = await import('./serve.js')
  serve({
    async run(count) {
      for (let i = 0; i < count; i++) {
        await tracer.startActiveSpan('request', async (span) => {
          await pool.query('select $1::int as number where 1 = 1', [i])
          span.end()
        })
      }
    },
    /** Microseconds of all threads' processor time until now. */
    used() {
      const { user, system } = process.cpuUsage()
      return user + system
    },
  })
}

void main()
