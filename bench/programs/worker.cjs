const { parentPort } = require('node:worker_threads')
parentPort.postMessage('here')
// Stays until it is told to go.
parentPort.once('message', () => {})
