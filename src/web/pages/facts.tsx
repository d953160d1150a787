/** What a page says beside the steps of a task: the request, facts, the network receipt, the timeline. */
import type { Child } from 'hono/jsx';
import { usdText } from '../../core/cost.ts';
import { setupLine } from '../../core/setup-view.ts';
import type { TaskView } from '../../core/task-view.ts';
import { capitalized, durationText, phaseText } from '../../core/task-words.ts';
import { sizeText } from '../../lib/byte-size.ts';
import { countText } from '../../lib/count-text.ts';
import { visibleLine, visibleText } from './visible-text.ts';

/** Only http and https: a link of another kind could run a script. */
export function Outward({ url, children }: { readonly url: string; readonly children?: Child }) {
  return /^https?:\/\//.test(url) ? (
    <a href={url} rel="noreferrer">
      {children}
    </a>
  ) : (
    <>{children}</>
  );
}

export function Facts({ view, githubUrl }: { readonly view: TaskView; readonly githubUrl: string }) {
  const { base, model, effort, usage, costUsd, setup, receipt, phases, continues, remarks } = view;
  const rows: (readonly [string, Child])[] = [
    ['Task', <code>{view.shortId}</code>],
    ...(base === null ? [] : [['Base', <code>{visibleLine(base.branch, 200)}</code>] as const]),
    ...(continues === null
      ? []
      : [['Continues', <Outward url={continues.url}>#{continues.number}</Outward>] as const]),
    ...(model === null
      ? []
      : [['Model', visibleLine(effort === null ? model : `${model} ${effort}`, 150)] as const]),
    ['Tokens', usage.totalTokens === 0 ? 'none yet' : usage.totalTokens.toLocaleString('en-US')],
    ...(costUsd === null ? [] : [['Cost', `about ${usdText(costUsd)}`] as const]),
    ...(setup === null || setup.status === 'none' ? [] : [['Setup', setupText(view)] as const]),
    ...(view.change === null
      ? []
      : [
          [
            'Change',
            `${countText(view.change.files, 'file')}, +${view.change.insertions} −${view.change.deletions}`,
          ] as const,
        ]),
  ];
  const { repository, issueNumber } = view;
  const asked =
    repository === null || issueNumber === null
      ? null
      : `${githubUrl}/${repository.owner}/${repository.name}/issues/${issueNumber}`;
  return (
    <div id="facts" data-part>
      <section aria-labelledby="ask-title">
        <h2 id="ask-title">What was asked</h2>
        <p class="text ask">{visibleText(view.instruction, 4000) || 'The issue as it is.'}</p>
        {remarks.map(({ by, text }) => (
          <p class="text ask">
            <strong>{visibleLine(by, 100)}</strong> added: {visibleText(text, 2000)}
          </p>
        ))}
        {asked === null ? null : (
          <p>
            <Outward url={asked}>Open #{issueNumber}</Outward>
          </p>
        )}
      </section>
      <section aria-labelledby="facts-title">
        <h2 id="facts-title">Facts</h2>
        <dl>
          {rows.map(([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="network-title">
        <h2 id="network-title">Network receipt</h2>
        <p class={receipt.deniedTotal === 0 ? 'quiet' : 'bad'}>
          {receipt.deniedTotal === 0
            ? 'No request was blocked.'
            : `${countText(receipt.deniedTotal, 'request')} blocked, shown next to the step that ran meanwhile.`}
        </p>
        {receipt.failedTotal === 0 ? null : (
          <p class="quiet">
            {countText(receipt.failedTotal, 'request')} failed through no fault of the agent.
          </p>
        )}
        <ul class="hosts">
          {receipt.hosts.map(({ host, requests, bytesUp, bytesDown }) => (
            <li>
              <code>{visibleLine(host, 200)}</code>
              <span class="quiet">
                {countText(requests, 'request')}, {sizeText(bytesUp)} sent, {sizeText(bytesDown)} received
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="time-title">
        <h2 id="time-title">Timeline</h2>
        <ol class="timeline">
          {phases.map(({ phase, at }, index) => {
            const next = phases[index + 1]?.at ?? (view.endedAt === null ? null : Date.parse(view.endedAt));
            return (
              <li>
                {capitalized(phaseText(phase))}{' '}
                <span class="quiet">{next === null || next <= at ? '' : durationText(next - at)}</span>
              </li>
            );
          })}
        </ol>
      </section>
    </div>
  );
}

function setupText({ setup }: TaskView): string {
  const line = setupLine(setup);
  return line === '' && setup !== null ? setup.status : line;
}
