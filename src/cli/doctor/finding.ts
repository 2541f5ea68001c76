/** What one check of `threadspan doctor` came to. `problem` is what keeps spans from being made or from arriving. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'problem'
  readonly text: string
}

export const ok = (text: string): Finding => ({ level: 'ok', text })
export const note = (text: string): Finding => ({ level: 'note', text })
export const problem = (text: string): Finding => ({ level: 'problem', text })
