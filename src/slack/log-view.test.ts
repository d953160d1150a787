import { describe, expect, it } from 'vitest';
import { viewProblems } from '../../simulators/slack/block-limits.ts';
import { emptyReceipt } from '../core/grant.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../core/task-view.ts';
import { slackView } from '../../test/fixtures/sample-view.ts';
import { logView } from './log-view.ts';

const view = { ...slackView, elapsedMs: 65_000 };
const event = (seq: number, body: TaskEventBody): TaskEvent => ({
  seq,
  at: Date.parse(view.acceptedAt) + seq * 1000,
  body,
});
const textOf = (events: readonly TaskEvent[]): string => JSON.stringify(logView(view, events).blocks);

describe('logView', () => {
  it.each<[TaskEventBody, string]>([
    [{ kind: 'phase', phase: 'clone' }, '`+0:05` *Cloning the repository*'],
    [{ kind: 'command.started', command: "bash -lc 'npm test'" }, 'runs `npm test`'],
    [
      { kind: 'command.finished', command: 'npm test', exitCode: 1, outputTail: 'boom', durationMs: 2000 },
      '⚠️ `npm test` exited with 1 after 2 s\\n```\\nboom\\n```',
    ],
    [{ kind: 'files.changed', paths: ['a.ts', 'b.ts'] }, 'edited `a.ts`, `b.ts`'],
    [{ kind: 'message', text: 'I look at <it>' }, '💬 I look at &lt;it&gt;'],
    [{ kind: 'error', text: 'busy', willRetry: true }, '⚠️ busy (retrying)'],
    [
      { kind: 'egress.denied', method: 'GET', host: 'evil.example', path: '/', reason: 'not allowed' },
      '⛔ blocked `GET evil.example/`: not allowed',
    ],
    [
      {
        kind: 'egress.failed',
        method: 'POST',
        host: 'api.openai.com',
        path: '/v1/responses',
        fault: 'ours',
        reason: 'the key was refused',
      },
      '⚠️ failed on our side `POST api.openai.com/v1/responses`: the key was refused',
    ],
    [{ kind: 'change', files: 1, insertions: 2, deletions: 3 }, '1 file changed, +2 −3'],
    [{ kind: 'plan', plan: [{ step: 'Look', status: 'inProgress' }] }, 'plan: 0 of 1 done, now: Look'],
    [
      { kind: 'thread', threadId: '01a1-2', resumed: 'other-version' },
      'Codex began the thread 01a1-2: another version of Codex wrote the earlier one',
    ],
    [{ kind: 'thread', threadId: '01a1-2', resumed: 'yes' }, 'Codex resumed its thread 01a1-2'],
    [{ kind: 'note', text: 'waits for its turn' }, 'waits for its turn'],
    [{ kind: 'ended', outcome: { kind: 'cancelled', by: 'Jo' } }, '*⏹️ Cancelled by Jo*'],
  ])('renders %j', (body, expected) => {
    expect(textOf([event(5, body)])).toContain(expected);
  });

  it('names the command during which a request was denied, if the receipt has it', () => {
    const what = { method: 'GET', host: 'evil.example', path: '/', reason: 'no' };
    const logged = event(5, { kind: 'egress.denied', ...what });
    const textWith = (row: Partial<TaskView['receipt']['denied'][number]>): string => {
      const known = { ...what, rule: 'host', count: 1, at: 0, command: 'curl <!channel>', ...row };
      return JSON.stringify(
        logView({ ...view, receipt: { ...emptyReceipt, denied: [known], deniedTotal: 1 } }, [logged]).blocks,
      );
    };
    expect(textWith({})).toContain('⛔ blocked `GET evil.example/`: no, while `curl &lt;!channel&gt;` ran');
    expect(textWith({ path: '/other' })).not.toContain('while');
    expect(textWith({ command: null })).not.toContain('while');
    // The receipt has the command of the first denial only.
    expect(textWith({ count: 2 })).not.toContain('while');
  });

  it('states that nothing has happened yet', () => {
    expect(textOf([])).toContain('Nothing has happened yet');
  });

  it('shows events in order and keeps the newest of a log that is too long', () => {
    const events = Array.from({ length: 2000 }, (_, seq) =>
      event(seq, { kind: 'note', text: `line ${seq} ${'x'.repeat(200)}` }),
    );
    const text = textOf(events);
    expect(viewProblems(logView(view, events))).toEqual([]);
    const lines = Array.from(text.matchAll(/line (\d+)/g), ([, n]) => Number(n));
    expect(lines.at(-1)).toBe(1999);
    expect(lines).toEqual(lines.toSorted((one, other) => one - other));
    expect(text).toContain(`${(2000 - lines.length).toLocaleString('en-US')} earlier lines are omitted`);
  });
});
