/**
 * Names the transaction of a whole run, as the user gives it (`threadspan run --transaction`). Between processes that run this package it has
 * the transaction that the child is part of, in JSON.
 */
export const TRANSACTION = 'THREADSPAN_TRANSACTION'

/** Hands a deadline to a child: the milliseconds that are left at its start, and behind a blank the names of the signals that it hangs on. */
export const DEADLINE = 'THREADSPAN_DEADLINE'

/** Tells a descendant that what it measures is read, and whether each value is listened to: two bits. */
export const MEASURES = 'THREADSPAN_MEASURES'
