import { render } from 'preact'
import { App } from './app.js'
import { followLive } from './live.js'

followLive()
render(<App />, document.getElementById('app')!)
