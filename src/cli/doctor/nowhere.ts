/**
 * Variables by which a program under the doctor's eyes sends nothing anywhere: its spans go to a file of the doctor's, and what waits in the
 * user's spool stays there.
 */
export function nowhere(file: string): Record<string, string> {
  return {
    OTEL_TRACES_EXPORTER: 'file',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    THREADSPAN_CENTRAL_CONFIG: 'off',
    THREADSPAN_FILE: file,
    THREADSPAN_SPOOL: '',
    THREADSPAN_SURFACERS: '',
  }
}
