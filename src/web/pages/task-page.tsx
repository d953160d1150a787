/**
 * The page of a task, as finished HTML. The parts with an id and `data-part` change while the task runs: the
 * page's module replaces them by what `/t/:id/live` answers.
 */
import type { Child } from 'hono/jsx';
import { mayRunAgain } from '../../core/run-again.ts';
import type { TaskView } from '../../core/task-view.ts';
import { capitalized, durationText, standingText } from '../../core/task-words.ts';
import { Diff, type ShownPatch } from './diff.tsx';
import { Facts, Outward } from './facts.tsx';
import { outcomeWords } from './outcome-words.ts';
import { Steps } from './steps-view.tsx';
import type { Step } from './steps.ts';
import { visibleLine } from './visible-text.ts';

export interface TaskPage {
  readonly view: TaskView;
  readonly steps: readonly Step[];
  /** The first line of the log that is shown; null if all before it are shown, too. */
  readonly earlier: number | null;
  /** The last line of the log that is shown. */
  readonly lastSeq: number;
  /** The lines shown are the newest. */
  readonly isNewest: boolean;
  readonly patch: ShownPatch | null;
  readonly sides: boolean;
  /** Whether the person may act, with the token of their forms. */
  readonly formToken: string | null;
  readonly githubUrl: string;
}

export const titleOf = ({ instruction, shortId }: TaskView): string =>
  visibleLine(instruction.split('\n').find((line) => line.trim() !== '') ?? '', 120) || `Task ${shortId}`;

export function TaskPageView(shown: TaskPage) {
  const { view, steps, earlier, lastSeq, isNewest } = shown;
  const path = `/t/${view.taskId}`;
  return (
    <div
      class="task"
      id="task"
      data-path={path}
      data-last={lastSeq}
      data-live={view.outcome === null && isNewest ? '' : undefined}
    >
      <Head {...shown} />
      <div class="columns">
        <aside aria-label="About this task">
          <Facts {...shown} />
        </aside>
        <div class="work">
          <Plan view={view} />
          <section aria-labelledby="steps-title">
            <h2 id="steps-title">Steps</h2>
            {earlier === null ? null : (
              <p>
                <a id="earlier" href={`${path}?before=${earlier}`}>
                  Show earlier steps
                </a>
              </p>
            )}
            <ol id="steps">
              <Steps steps={steps} since={Date.parse(view.acceptedAt)} />
            </ol>
            {isNewest ? null : (
              <p>
                <a href={path}>Show the newest steps</a>
              </p>
            )}
          </section>
          <Change {...shown} />
        </div>
      </div>
    </div>
  );
}

/** What `/t/:id/live` answers: the parts that change, and the steps that are new or changed. */
export function TaskParts(shown: TaskPage & { readonly withChange: boolean }) {
  const { view, steps, lastSeq, withChange } = shown;
  return (
    <div id="news" data-last={lastSeq} data-live={view.outcome === null ? '' : undefined}>
      <Head {...shown} />
      <Facts {...shown} />
      <Plan view={view} />
      <ol>
        <Steps steps={steps} since={Date.parse(view.acceptedAt)} />
      </ol>
      {withChange ? <Change {...shown} /> : null}
    </div>
  );
}

function Head({ view, formToken }: TaskPage) {
  const words = view.outcome === null ? null : outcomeWords(view.outcome);
  const { repository, requester, issueNumber, origin, repeats, repeatedBy } = view;
  const place = origin === 'api' ? 'through the API' : origin === 'slack' ? 'in Slack' : `in #${issueNumber}`;
  return (
    <section id="head" data-part class="head">
      <h1>{titleOf(view)}</h1>
      <p class="quiet">
        {repository === null ? 'No repository yet' : `${repository.owner}/${repository.name}`} ·{' '}
        {repeats === null ? 'asked' : <a href={`/t/${repeats}`}>asked again</a>}{' '}
        {requester === null ? '' : `by ${visibleLine(requester, 100)} `}
        {place} · <time datetime={view.acceptedAt}>{view.acceptedAt.slice(0, 16).replace('T', ' ')} UTC</time>
      </p>
      <div class={`state ${words?.tone ?? 'running'}`} role="status">
        <strong>{words?.title ?? capitalized(standingText(view))}</strong>{' '}
        <span class="quiet">{durationText(view.elapsedMs)}</span>
        {words?.link === undefined ? null : (
          <p>
            <Outward url={words.link.url}>{words.link.text}</Outward>
          </p>
        )}
        {words === null || words.text === '' ? null : <p class="text">{words.text}</p>}
        {words === null || words.remedy === '' ? null : <p class="text">{words.remedy}</p>}
        {repeatedBy === null ? null : (
          <p>
            <a href={`/t/${repeatedBy}`}>This task was run again</a>
          </p>
        )}
      </div>
      {formToken === null ? null : <Actions view={view} formToken={formToken} />}
    </section>
  );
}

function Actions({ view, formToken }: { readonly view: TaskView; readonly formToken: string }) {
  const { taskId, outcome, phase } = view;
  const form = (action: string, children: Child) => (
    <form method="post" action={`/t/${taskId}/${action}`} data-keep>
      <input type="hidden" name="token" value={formToken} />
      {children}
    </form>
  );
  return (
    <div class="actions">
      {outcome === null ? form('cancel', <button class="danger">Cancel</button>) : null}
      {outcome?.kind === 'failed' && outcome.changeKept
        ? form('retry', <button>Publish the kept change again</button>)
        : null}
      {outcome !== null && mayRunAgain(outcome) && view.repository !== null
        ? form('again', <button>Run the task again</button>)
        : null}
      {outcome?.kind === 'held' && outcome.changeHash !== null
        ? form(
            'approve',
            <>
              <input type="hidden" name="hash" value={outcome.changeHash} />
              <button>Approve {outcome.changeHash.slice(0, 12)} and publish</button>
            </>,
          )
        : null}
      {outcome === null && phase === 'codex'
        ? form(
            'steer',
            <>
              <label for="words">Add something while Codex works</label>
              <div class="line">
                <input id="words" name="words" required maxlength={4000} autocomplete="off" />
                <button>Send</button>
              </div>
            </>,
          )
        : null}
    </div>
  );
}

function Plan({ view }: { readonly view: TaskView }) {
  const plan = view.progress?.plan ?? [];
  const marks = { completed: '✓', inProgress: '▸', pending: '○' } as const;
  const words = { completed: 'done', inProgress: 'in progress', pending: 'to do' } as const;
  return (
    <section id="plan" data-part aria-labelledby="plan-title" hidden={plan.length === 0}>
      <h2 id="plan-title">Plan</h2>
      <ol class="plan">
        {plan.slice(0, 50).map(({ step, status }) => (
          <li class={status}>
            <span aria-hidden="true">{marks[status]}</span> <span class="sr">{words[status]}: </span>
            {visibleLine(step, 300)}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Change({ view, patch, sides }: TaskPage) {
  const path = `/t/${view.taskId}`;
  return (
    <section id="change" data-part aria-labelledby="change-title" hidden={patch === null}>
      <h2 id="change-title">Change</h2>
      {patch === null ? null : (
        <>
          <p>
            <a href={sides ? `${path}#change` : `${path}?diff=sides#change`}>
              {sides ? 'Show in one column' : 'Show side by side'}
            </a>
          </p>
          <Diff patch={patch} sides={sides} />
        </>
      )}
    </section>
  );
}
