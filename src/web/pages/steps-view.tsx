/** Shows the steps of a task, each with the network requests that were refused meanwhile. */
import { clockText, durationText } from '../../core/task-words.ts';
import { Output } from './output.tsx';
import { isOpen, type Attempt, type Step } from './steps.ts';
import { visibleLine, visibleText } from './visible-text.ts';

/** The newest finished steps stay open. */
const openSteps = 1;

export function Steps({ steps, since }: { readonly steps: readonly Step[]; readonly since: number }) {
  const newest = steps.slice(-openSteps).map(({ seq }) => seq);
  return (
    <>
      {steps.map((step) => (
        <li
          id={`s${step.seq}`}
          class={`step ${step.kind}`}
          data-last={step.lastSeq}
          data-open={isOpen(step) ? '' : undefined}
        >
          <a class="at" href={`#s${step.seq}`} title={new Date(step.at).toISOString()}>
            {clockText(step.at - since)}
          </a>
          <div class="what">
            <What step={step} open={isOpen(step) || newest.includes(step.seq)} />
          </div>
          {step.attempts.length === 0 ? null : (
            <ul class="attempts" aria-label="Blocked network requests">
              {step.attempts.map((attempt) => (
                <Refused attempt={attempt} />
              ))}
            </ul>
          )}
        </li>
      ))}
    </>
  );
}

function What({ step, open }: { readonly step: Step; readonly open: boolean }) {
  switch (step.kind) {
    case 'command': {
      const { end } = step;
      const result =
        end === null
          ? 'running'
          : `exit code ${end.exitCode}${end.durationMs === null ? '' : ` after ${durationText(end.durationMs)}`}`;
      return (
        <details open={open}>
          <summary>
            <code>{visibleText(step.command, 2000)}</code>{' '}
            <span class={end === null ? 'running' : end.exitCode === 0 ? 'quiet' : 'bad'}>{result}</span>
          </summary>
          {step.output === '' ? (
            <p class="quiet">{end === null ? 'Its output follows when it ends.' : 'No output.'}</p>
          ) : (
            <Output untrustedText={step.output} />
          )}
        </details>
      );
    }
    case 'message':
      return <p class="text">{visibleText(step.text)}</p>;
    case 'files':
      return (
        <p>
          Edited{' '}
          {step.paths.map((path, index) => (
            <>
              {index === 0 ? '' : ', '}
              <code>{visibleLine(path, 300)}</code>
            </>
          ))}
        </p>
      );
    case 'problem':
      return <p class="bad text">⚠️ {visibleText(step.text)}</p>;
    case 'note':
      return <p class="quiet text">{visibleText(step.text)}</p>;
    case 'network':
      return <p class="quiet">No single command ran during this request.</p>;
  }
}

function Refused({ attempt }: { readonly attempt: Attempt }) {
  const { seq, verdict, request, reason } = attempt;
  return (
    <li id={`n${seq}`} class={verdict}>
      <strong>{verdict === 'denied' ? 'Blocked' : 'Failed'}</strong> <code>{visibleLine(request, 300)}</code>
      <span class="reason">{visibleLine(reason)}</span>
    </li>
  );
}
