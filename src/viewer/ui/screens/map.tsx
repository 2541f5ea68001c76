import dagre from '@dagrejs/dagre'
import { useMemo } from 'preact/hooks'
import type { MapEdge, ServiceMap } from '../../api.js'
import { count, duration, percent, plural } from '../../model/format.js'
import { api, filtersOf, useData } from '../client.js'
import { COUNTS, rate } from '../parts/columns.js'
import { Failed, Loading } from '../parts/states.js'
import { type Column, Table } from '../parts/table.js'
import { href, route } from '../route.js'

const HEIGHT = 38
const LETTER = 7.4

/** Who calls whom, as a picture and as a table. */
export function MapPanel() {
  const { params } = route.value
  const { data, error } = useData<ServiceMap>(api('map', params), true)
  if (error !== null) return <Failed error={error} />
  if (data === null) return <Loading />
  return (
    <>
      <figure class="panel">
        <header>
          <figcaption class="title">
            <h2>Service map</h2>
          </figcaption>
          <span class="muted">
            {plural(data.nodes.length, 'node')}, {plural(data.edges.length, 'connection')}
            {data.left > 0 && `, ${count(data.left)} with fewer calls left out`}
          </span>
        </header>
        <Picture data={data} />
      </figure>
      <div class="panel">
        <header>
          <h2>Connections</h2>
        </header>
        <Table
          label="Connections"
          rows={data.edges}
          columns={columnsOf(data)}
          keyOf={({ from, to }) => `${from}\n${to}`}
          sort="count"
        />
      </div>
    </>
  )
}

interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

interface Routed {
  readonly points: readonly { x: number; y: number }[]
  readonly x: number
  readonly y: number
}

function Picture({ data }: { data: ServiceMap }) {
  const { width, height, places, lines } = useMemo(() => layOut(data), [data])
  const most = data.edges.reduce((max, { count }) => Math.max(max, count), 1)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
    <section class="map" aria-label="Service map" tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>Services, databases and queues, and who calls whom; the table below has the figures</title>
        <defs>
          <marker
            id="head"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerUnits="userSpaceOnUse"
            markerWidth="10"
            markerHeight="10"
            orient="auto-start-reverse"
          >
            <path d="M0 0L8 4L0 8z" fill="context-stroke" />
          </marker>
        </defs>
        {data.edges.map((edge, i) => {
          const { path, x, y } = lines[i]!
          const bad = edge.errors / edge.count >= 0.01
          const wide = wordsOf(edge).length * 6
          return (
            <g key={`${edge.from} ${edge.to}`} class={bad ? 'bad' : ''}>
              <path
                d={path}
                stroke-width={1 + (2.5 * Math.log1p(edge.count)) / Math.log1p(most)}
                marker-end="url(#head)"
              />
              <rect class="words" x={x - wide / 2} y={y - 11} width={wide} height={15} />
              <text x={x} y={y} text-anchor="middle">
                {wordsOf(edge)}
              </text>
            </g>
          )
        })}
        {data.nodes.map(({ id, name, kind }) => {
          const { x, y, width, height } = places.get(id)!
          const box = (
            <>
              <rect
                x={x - width / 2}
                y={y - height / 2}
                width={width}
                height={height}
                rx={kind === 'service' ? 8 : kind === 'queue' ? 0 : 19}
                class={kind}
              />
              <text x={x} y={y + 4} text-anchor="middle">
                {short(name)}
              </text>
            </>
          )
          return kind === 'service' ? (
            <a
              key={id}
              href={href(['transactions'], {
                ...filtersOf(route.peek().params),
                service: name,
                transaction: undefined,
              })}
            >
              {box}
            </a>
          ) : (
            <g key={id}>{box}</g>
          )
        })}
      </svg>
    </section>
  )
}

/** What is written at a line. */
function wordsOf({ throughput, mean, errors, count }: MapEdge): string {
  const failed = errors > 0 ? `, ${percent(errors / count)} failed` : ''
  return `${rate(throughput)}/min, ${duration(mean)}${failed}`
}

function short(name: string): string {
  return name.length > 40 ? `${name.slice(0, 39)}…` : name
}

/** Places from left to right, callers before what they call. */
function layOut({ nodes, edges }: ServiceMap) {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 36, marginx: 16, marginy: 18 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id, name } of nodes)
    graph.setNode(id, { width: short(name).length * LETTER + 28, height: HEIGHT })
  for (const edge of edges) {
    const width = wordsOf(edge).length * 6 + 12
    if (edge.from !== edge.to) graph.setEdge(edge.from, edge.to, { width, height: 32, labelpos: 'c' })
  }
  dagre.layout(graph)
  const places = new Map<string, Placed>(nodes.map(({ id }) => [id, graph.node(id) as Placed]))
  const lines = edges.map(({ from, to }) => {
    if (from === to) {
      const { x, y, height } = places.get(from)!
      const top = y - height / 2
      return {
        path: `M${x - 16} ${top}C${x - 30} ${top - 26} ${x + 30} ${top - 26} ${x + 16} ${top}`,
        x,
        y: top - 22,
      }
    }
    const { points, x, y } = graph.edge(from, to) as Routed
    return { path: `M${points.map((point) => `${point.x} ${point.y}`).join('L')}`, x, y: y - 7 }
  })
  const { width = 0, height = 0 } = graph.graph()
  return { width: Math.max(1, width), height: Math.max(1, height), places, lines }
}

function columnsOf({ nodes }: ServiceMap): Column<MapEdge>[] {
  const names = new Map(nodes.map(({ id, name }) => [id, name]))
  return [
    {
      key: 'from',
      title: 'From',
      brief: true,
      value: ({ from }) => from,
      cell: ({ from }) => names.get(from),
    },
    {
      key: 'to',
      title: 'To',
      name: true,
      value: ({ to }) => to,
      cell: ({ to }) => <span>{names.get(to)}</span>,
    },
    ...COUNTS,
    {
      key: 'errors',
      title: 'Failed',
      number: true,
      value: (row) => row.errors / row.count,
      cell: ({ errors, count }) => (
        <span class={errors > 0 ? 'error-text' : 'muted'}>{percent(errors / count)}</span>
      ),
    },
    {
      key: 'mean',
      title: 'Mean',
      number: true,
      value: ({ mean }) => mean,
      cell: ({ mean }) => duration(mean),
    },
    { key: 'p95', title: 'p95', number: true, value: ({ p95 }) => p95, cell: ({ p95 }) => duration(p95) },
  ]
}
