import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AccountsRecord,
  type DoctorRecord,
  type EndedRecord,
  type LoadedRecord,
  type MadeRecord,
  RECORDS_SUFFIX,
  type ThreadRecord,
} from '../../core/doctor.js'
import { grouped } from './finding.js'

/** Bytes of all files together; what is behind that is not read. */
const MOST_BYTES = 64 << 20

/** A Worker or child, and what became of it. */
export interface Made extends MadeRecord {
  /** The threads that have told of themselves under its id: none where it has not joined. */
  readonly joined: readonly ThreadRecord[]
  readonly ended: EndedRecord | undefined
}

/** What the watched processes have told. */
export interface Watched {
  readonly threads: readonly ThreadRecord[]
  readonly made: readonly Made[]
  readonly loaded: readonly LoadedRecord[]
  readonly accounts: readonly AccountsRecord[]
}

/** The fields that each type of record must have, by what `typeof` says. */
const FIELDS: Readonly<Record<DoctorRecord['type'], Readonly<Record<string, string>>>> = {
  thread: {
    id: 'string',
    thread: 'string',
    pid: 'number',
    isMain: 'boolean',
    name: 'string',
    node: 'string',
    state: 'string',
    errors: 'string',
    disabled: 'object',
  },
  worker: { id: 'string', file: 'string', state: 'string' },
  child: { id: 'string', file: 'string', state: 'string', kind: 'string' },
  ended: { id: 'string', terminated: 'boolean' },
  loaded: { thread: 'string', what: 'string', version: 'string' },
  accounts: { made: 'number', delivered: 'number', dropped: 'object' },
}

/** A line as the record that it is; undefined for the last one of a killed process, and for anything else. */
function readRecord(line: string): DoctorRecord | undefined {
  try {
    const value = JSON.parse(line) as Record<string, unknown> | null
    if (typeof value !== 'object' || value === null) return undefined
    const type = String(value['type'])
    if (!Object.hasOwn(FIELDS, type)) return undefined
    const fields = Object.entries(FIELDS[type as DoctorRecord['type']])
    const isWhole = fields.every(
      ([name, kind]) => typeof value[name] === kind && (kind !== 'object' || Array.isArray(value[name])),
    )
    return isWhole ? (value as unknown as DoctorRecord) : undefined
  } catch {
    return undefined
  }
}

/** Reads what is in the doctor's folder, and joins what was made with what has started and ended. */
export async function readRecords(folder: string): Promise<Watched> {
  const threads: ThreadRecord[] = []
  const made: MadeRecord[] = []
  const ended = new Map<string, EndedRecord>()
  const loaded: LoadedRecord[] = []
  const accounts: AccountsRecord[] = []
  let left = MOST_BYTES
  for (const name of (await readdir(folder)).filter((name) => name.endsWith(RECORDS_SUFFIX))) {
    const path = join(folder, name)
    left -= (await stat(path)).size
    if (left < 0) break
    for (const line of (await readFile(path, 'utf8')).split('\n')) {
      const record = readRecord(line)
      if (record?.type === 'thread') threads.push(record)
      else if (record?.type === 'ended') ended.set(record.id, record)
      else if (record?.type === 'loaded') loaded.push(record)
      else if (record?.type === 'accounts') accounts.push(record)
      else if (record !== undefined) made.push(record)
    }
  }
  const byId = grouped(threads, ({ id }) => id)
  return {
    threads,
    made: made.map((one) => ({ ...one, joined: byId.get(one.id) ?? [], ended: ended.get(one.id) })),
    loaded,
    accounts,
  }
}
