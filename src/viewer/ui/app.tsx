import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { filtersOf } from './client.js'
import { bindKeys } from './keys.js'
import { paused, setPaused } from './live.js'
import { Dropzone } from './parts/dropzone.js'
import { Help, openHelp } from './parts/help.js'
import { Top } from './parts/top.js'
import { href, navigate, rememberedScroll, rememberScroll, route } from './route.js'
import { CompareScreen } from './screens/compare.js'
import { ErrorScreen } from './screens/error.js'
import { ErrorsScreen } from './screens/errors.js'
import { LogsScreen } from './screens/logs.js'
import { MetricsScreen } from './screens/metrics.js'
import { ProcessScreen } from './screens/process.js'
import { ProcessesScreen } from './screens/processes.js'
import { ServicesScreen } from './screens/services.js'
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
        ...Object.fromEntries(
          TABS.map(([name], i) => [
            String(i + 1),
            () => navigate(href([name], filtersOf(route.peek().params))),
          ]),
        ),
      }),
    [],
  )
  useEffect(() => {
    document.title = titleOf(path, route.peek().params)
  }, [route.value])
  useScroll(main, place)

  const [name = 'services', first, second] = path
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
  ['services', 'Services'],
  ['transactions', 'Transactions'],
  ['traces', 'Traces'],
  ['errors', 'Errors'],
  ['logs', 'Logs'],
  ['metrics', 'Metrics'],
]

/** Screens begin at their top, and where Back or Forward lead, as they were left: as soon as they are long enough again. */
function useScroll(main: { readonly current: HTMLElement | null }, place: string): void {
  useLayoutEffect(() => {
    const box = main.current!
    const wanted = rememberedScroll()
    box.scrollTo(0, wanted)
    let timer = 0
    const remember = () => {
      clearTimeout(timer)
      const { hash } = location
      timer = setTimeout(() => {
        if (location.hash === hash) rememberScroll(box.scrollTop)
      }, 100)
    }
    const grown = new ResizeObserver(() => {
      if (Math.abs(box.scrollTop - wanted) < 2) grown.disconnect()
      else box.scrollTo(0, wanted)
    })
    const settle = () => grown.disconnect()
    if (wanted > 0) {
      for (const child of box.children) grown.observe(child)
      // The reader's own scrolling comes before what was.
      for (const type of ['wheel', 'pointerdown', 'keydown'])
        box.addEventListener(type, settle, { once: true })
    }
    box.addEventListener('scroll', remember)
    return () => {
      clearTimeout(timer)
      grown.disconnect()
      box.removeEventListener('scroll', remember)
    }
  }, [place])
}

function screen(name: string, first: string | undefined, second: string | undefined) {
  if (name === 'services') return <ServicesScreen />
  if (name === 'processes' && first !== undefined) return <ProcessScreen key={first} process={first} />
  if (name === 'processes') return <ProcessesScreen />
  if (name === 'transactions') return <TransactionsScreen />
  if (name === 'traces') return <TracesScreen />
  if (name === 'trace' && first !== undefined) return <TraceScreen key={first} traceId={first} />
  if (name === 'compare' && first !== undefined && second !== undefined)
    return <CompareScreen key={`${first}/${second}`} left={first} right={second} />
  if (name === 'errors' && first !== undefined) return <ErrorScreen key={first} fingerprint={first} />
  if (name === 'errors') return <ErrorsScreen />
  if (name === 'logs') return <LogsScreen />
  if (name === 'metrics') return <MetricsScreen selected={first} />
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        Nothing is at <code>{location.hash}</code>. Go to <a href={href(['services'])}>services</a>.
      </p>
    </div>
  )
}

/** Of screens that are no tabs. */
const NAMES: Readonly<Record<string, string>> = { compare: 'Two traces compared', processes: 'Processes' }

/** What tells this place from others among tabs and in the history; a trace and an error name themselves once they are there. */
function titleOf(
  [name = 'services', first]: readonly string[],
  params: Readonly<Record<string, string>>,
): string {
  const screen = TABS.find(([tab]) => tab === name)?.[1] ?? NAMES[name] ?? name
  const of = name === 'metrics' ? first : (params['transaction'] ?? params['service'])
  return [of, screen, 'threadspan'].filter(Boolean).join(' · ')
}
