// Sends requests to a server, one after the other, over one connection.
import { Agent, get } from 'node:http'
import { serve } from './serve.js'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

process.once('disconnect', () => agent.destroy())

serve({
  async send({ port, count }) {
    for (let i = 0; i < count; i++) {
      await new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
          response.resume().once('end', resolve)
        }).once('error', reject)
      })
    }
  },
})
