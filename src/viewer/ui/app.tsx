import { useEffect, useRef } from 'preact/hooks'
import { bindKeys } from './keys.js'
import { paused, setPaused } from './live.js'
import { Dropzone } from './parts/dropzone.js'
import { Help, openHelp } from './parts/help.js'
import { Top } from './parts/top.js'
import { href, navigate, route } from './route.js'
import { CompareScreen } from './screens/compare.js'
import { ErrorScreen } from './screens/error.js'
import { ErrorsScreen } from './screens/errors.js'
import { MetricsScreen } from './screens/metrics.js'
import { TraceScreen } from './screens/trace.js'
import { TracesScreen } from './screens/traces.js'
import { TransactionsScreen } from './screens/transactions.js'
import { nextTheme } from './theme.js'
import { toast } from './toast.js'

/** The page: header, the screen that the address names, and what lies over it. */
export function App() {
  const { path } = route.value
  const main = useRef<HTMLElement>(null)
  const place = path.join('/')

  useEffect(
    () =>
      bindKeys({
        '?': openHelp,
        t: nextTheme,
        p: () => setPaused(!paused.peek()),
        '/': () => main.current?.querySelector<HTMLInputElement>('input[type=search]')?.focus(),
        ...Object.fromEntries(TABS.map(([name], i) => [String(i + 1), () => navigate(href([name]))])),
      }),
    [],
  )
  useEffect(() => {
    main.current?.scrollTo(0, 0)
    document.title = titleOf(path)
  }, [place])

  const [name = 'transactions', first, second] = path
  return (
    <>
      <Top tabs={TABS} current={name} />
      <main id="screen" ref={main} class={`screen${name === 'trace' ? ' fixed' : ''}`} tabIndex={-1}>
        {screen(name, first, second)}
      </main>
      <Help />
      <Dropzone />
      <div class="toast" role="status">
        {toast.value}
      </div>
    </>
  )
}

const TABS: readonly (readonly [string, string])[] = [
  ['transactions', 'Transactions'],
  ['traces', 'Live traces'],
  ['errors', 'Errors'],
  ['metrics', 'Metrics'],
]

function screen(name: string, first: string | undefined, second: string | undefined) {
  if (name === 'transactions') return <TransactionsScreen />
  if (name === 'traces') return <TracesScreen />
  if (name === 'trace' && first !== undefined) return <TraceScreen key={first} traceId={first} />
  if (name === 'compare' && first !== undefined && second !== undefined)
    return <CompareScreen key={`${first}/${second}`} left={first} right={second} />
  if (name === 'errors' && first !== undefined) return <ErrorScreen key={first} fingerprint={first} />
  if (name === 'errors') return <ErrorsScreen />
  if (name === 'metrics') return <MetricsScreen selected={first} />
  return (
    <div class="empty">
      <h2>There is no such page</h2>
      <p>
        Nothing is at <code>{location.hash}</code>. Go to <a href={href(['transactions'])}>transactions</a>.
      </p>
    </div>
  )
}

/** What tells this place from others among tabs and in the history. */
function titleOf([name = 'transactions', first]: readonly string[]): string {
  const screen = TABS.find(([tab]) => tab === name)?.[1] ?? name
  const what = name === 'trace' || name === 'compare' ? `${name} ${first?.slice(0, 8)}` : (first ?? screen)
  return `${what} · threadspan`
}
