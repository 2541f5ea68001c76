/** Marks a file as ours: "thsp". */
export const APPLICATION_ID = 0x74687370

/** Of the tables below; a file of an older one is migrated, a newer one is refused. */
export const VERSION = 2

/** Pieces that a trace may have: the number of a piece is that of its trace times this, and its own. */
export const PIECES = 2 ** 26

/**
 * `piece` holds runs of spans of one trace, resource and scope as they came, each as a `ScopeSpans.spans` field; its key keeps the pieces of
 * a trace beside one another, in order, without another index. `start` is milliseconds since the epoch, of the span that came first.
 */
export const SCHEMA = `
CREATE TABLE part (id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE);
CREATE TABLE trace (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, start INTEGER NOT NULL);
CREATE TABLE piece (id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, scope INTEGER NOT NULL, spans INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE signal (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, name TEXT NOT NULL, encoding TEXT NOT NULL, body BLOB NOT NULL);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${VERSION};
`
