import { live } from '../config/live.js'

/** What is told of an error's stack, by central configuration where there is any; empty for nothing. */
export function toldStack(stack: string): string {
  return live.now?.().stackOf(stack) ?? stack
}
