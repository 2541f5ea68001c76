import type { Operation } from './database-span.js'

/** Commands whose first argument is a key. */
const KEYED =
  /^(?:APPEND|BIT(?:COUNT|FIELD|FIELD_RO|POS)|B(?:L|R)POP(?:LPUSH)?|BLMOVE|BZPOP(?:MAX|MIN)|COPY|DECR(?:BY)?|DEL|DUMP|EXISTS|EXPIRE(?:AT|TIME)?|GEO[A-Z_]+|GET(?:BIT|DEL|EX|RANGE|SET)?|H(?:DEL|EXISTS|EXPIRE|GET|GETALL|GETDEL|GETEX|INCRBY|INCRBYFLOAT|KEYS|LEN|MGET|MSET|PERSIST|RANDFIELD|SCAN|SET|SETEX|SETNX|STRLEN|TTL|VALS)|INCR(?:BY|BYFLOAT)?|L(?:INDEX|INSERT|LEN|MOVE|POP|POS|PUSH|PUSHX|RANGE|REM|SET|TRIM)|MGET|MSET(?:NX)?|PERSIST|PEXPIRE(?:AT|TIME)?|PF(?:ADD|COUNT|MERGE)|PSETEX|PTTL|RENAME(?:NX)?|RESTORE|R(?:POP|POPLPUSH|PUSH|PUSHX)|S(?:ADD|CARD|DIFF|DIFFSTORE|INTER|INTERSTORE|ISMEMBER|MEMBERS|MISMEMBER|MOVE|ORT|POP|RANDMEMBER|REM|SCAN|UNION|UNIONSTORE)|SET(?:BIT|EX|NX|RANGE)?|STRLEN|TOUCH|TTL|TYPE|UNLINK|WATCH|X(?:ACK|ADD|AUTOCLAIM|CLAIM|DEL|LEN|PENDING|RANGE|REVRANGE|TRIM)|Z[A-Z]+)$/
/** What clients set their connections up with, and try without minding a refusal. */
const SETUP = new Set(['AUTH', 'CLIENT', 'HELLO', 'READONLY'])
/** What clients send by themselves as well as for their callers. */
const UPKEEP = new Set(['CLUSTER', 'COMMAND', 'INFO', 'PING', 'SELECT'])
/** The first part of a key, as applications build them: `session:` of `session:1fc9`. */
const PREFIX = /^[A-Za-z][\w.-]{0,31}:/
/** A command's name, subcommands and those of modules (`JSON.GET`) included. */
const NAME = /^[A-Z][A-Z\d._|-]{0,63}$/
/** Arguments that are shown. */
const MOST_ARGUMENTS = 10

/**
 * What is shown of a command: its name, how many arguments it has, and what comes before the first colon of its key. Keys are made of what
 * identifies people and sessions as often as not, and so are shown no more than values are.
 *
 * @returns undefined for what is no work of the application's.
 * @param args without the command's name; they may have been replaced by `?` before.
 */
export function redisOperation(command: string, args: readonly unknown[]): Operation | undefined {
  const upper = command.toUpperCase()
  const name = NAME.test(upper) ? upper : '_OTHER'
  if (SETUP.has(name)) return undefined
  const shown: string[] = []
  for (let i = 0; i < args.length && i < MOST_ARGUMENTS; i++) {
    const argument = args[i]
    const prefix =
      i === 0 && typeof argument === 'string' && KEYED.test(name) ? PREFIX.exec(argument)?.[0] : undefined
    shown.push(prefix === undefined ? '?' : `${prefix}?`)
  }
  if (args.length > MOST_ARGUMENTS) shown.push('...')
  return { name, text: [name, ...shown].join(' '), isUpkeep: UPKEEP.has(name) }
}

/** What the server calls a failure: the first word of its message, as `WRONGTYPE`. */
export function redisErrorCode(error: object): string | undefined {
  const { message } = error as { message?: unknown }
  return typeof message === 'string' ? /^[A-Z][A-Z0-9]{1,31}(?= |$)/.exec(message)?.[0] : undefined
}
