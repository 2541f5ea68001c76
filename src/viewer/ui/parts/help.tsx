import { setSingleKeys, singleKeys } from '../keys.js'

const SHEET: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Everywhere',
    [
      ['1 … 6', 'Go to a screen'],
      ['/', 'Search'],
      ['p', 'Pause or resume'],
      ['t', 'Change the theme'],
      ['?', 'This sheet'],
    ],
  ],
  [
    'In lists',
    [
      ['Tab', 'Next link or control'],
      ['Enter', 'Open, sort, select'],
      ['← →', 'Read a chart or the distribution'],
      ['Shift ← →', 'Select in a chart, then Enter'],
      ['Shift Enter', 'Extend the selection there'],
    ],
  ],
  [
    'In a trace',
    [
      ['v', 'Waterfall, lanes, statistics, flame, logs'],
      [', .', 'Previous, next sample'],
      ['↑ ↓', 'Row before or after'],
      ['← →', 'Fold, unfold; span in a lane'],
      ['Enter', 'Details of the span'],
      ['Esc', 'Close the details'],
      ['n N', 'Next, previous match'],
      ['e E', 'Next, previous error'],
      ['f F', 'Fold all, unfold all'],
    ],
  ],
  [
    'Time in a trace',
    [
      ['+ -', 'Zoom in, out'],
      ['[ ]', 'Earlier, later'],
      ['z', 'Zoom to the span'],
      ['0', 'The whole trace'],
      ['c', 'Critical path'],
      ['y', 'Copy a link to this view'],
    ],
  ],
]

/** Opens the sheet of keys. */
export function openHelp(): void {
  const dialog = document.getElementById('help') as HTMLDialogElement | null
  if (dialog !== null && !dialog.open) dialog.showModal()
}

/** The sheet of keys, as a modal dialog; Escape and the button close it. */
export function Help() {
  return (
    <dialog id="help" aria-labelledby="help-title">
      <div class="sheet">
        <header>
          <h2 id="help-title">Keyboard</h2>
          <button type="button" onClick={(event) => event.currentTarget.closest('dialog')!.close()}>
            Close
          </button>
        </header>
        <div class="columns">
          {SHEET.map(([title, keys]) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {keys.map(([key, what]) => (
                  <div key={key}>
                    <dt>{what}</dt>
                    <dd>
                      {key.split(' ').map((part) => (
                        <>
                          <kbd>{part}</kbd>{' '}
                        </>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <footer>
          <label class="row">
            <input
              type="checkbox"
              checked={singleKeys.value}
              onChange={(event) => setSingleKeys(event.currentTarget.checked)}
            />
            Single keys act. Turn this off when another tool sends letters to the page.
          </label>
        </footer>
      </div>
    </dialog>
  )
}
