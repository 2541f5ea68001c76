/**
 * Names the transaction of a whole run, as the user gives it (`threadspan run --transaction`). Between processes that run this package it has
 * the transaction that the child is part of, in JSON.
 */
export const TRANSACTION = 'THREADSPAN_TRANSACTION'
