/**
 * Names the transaction of a whole run, as the user gives it (`threadspan run --transaction`). Between processes that run this package it has
 * the transaction that the child is part of, in JSON.
 */
export const TRANSACTION = 'THREADSPAN_TRANSACTION'

/** Tells a descendant that what it measures is read, and whether each value is listened to: two bits. */
export const MEASURES = 'THREADSPAN_MEASURES'
