// The service that the harness calls: it makes the calls that it is told to, each with a body that says what is to be called from there.
// Usage: node --require threadspan/register service.cjs <events|iterate> <main|worker|child> <http|fetch>
const { execFile } = require('node:child_process')
const { createServer } = require('node:http')
const { join } = require('node:path')
const { call } = require('./call.cjs')

const [, , reading, place, client] = process.argv
const caller = join(__dirname, 'call.cjs')

const places = {
  main: () => call,
  worker() {
    const { Piscina } = require('piscina')
    const pool = new Piscina({ filename: caller, name: 'call', minThreads: 2, maxThreads: 2 })
    return (told) => pool.run(told)
  },
  child: () => (told) =>
    new Promise((resolve, reject) => {
      execFile(process.execPath, [caller, JSON.stringify(told)], (error) =>
        error ? reject(error) : resolve(),
      )
    }),
}

async function iterated(request) {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

const make = places[place]()

async function follow(body) {
  for (const { url, arguments: next } of JSON.parse(body))
    await make({ url, body: JSON.stringify(next), client })
}

const server = createServer((request, response) => {
  const answer = (error) => {
    if (error !== undefined) console.error(error)
    response.writeHead(error === undefined ? 200 : 500).end()
  }
  const made = (body) => follow(body).then(() => answer(), answer)
  if (reading === 'iterate') void iterated(request).then(made)
  else {
    // In the callback itself: behind a promise that was made in the handler it would be back in the request's context by itself.
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => void made(body))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`))
