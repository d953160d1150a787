import { describe, expect, it } from 'vitest';
import { selectContext, type ContextInput } from './context.ts';

const at = (minute: number): string => `2026-11-01T10:${String(minute).padStart(2, '0')}:00Z`;
const person = (login: string) => ({ login, type: 'User' });
type Comment = ContextInput['comments'][number];
const comment = (id: number, over: Partial<Comment> = {}): Comment => ({
  id,
  user: person('mona'),
  shown: `comment ${id}`,
  created_at: at(id),
  updated_at: at(id),
  performed_via_github_app: null,
  ...over,
});
const input: ContextInput = {
  issue: {
    number: 2,
    title: 'now another title',
    shown: 'It should not.\n',
    user: person('stranger'),
    updated_at: at(59),
    labels: ['bug', { name: 'codex' }, { name: null }],
  },
  comments: [],
  writers: new Set(['mona', 'Lisa']),
  trigger: {
    kind: 'github',
    event: 'issue_comment',
    installationId: 3,
    repositoryId: 5,
    issueNumber: 2,
    mention: 'airlock',
    onPullRequest: false,
    commentId: 30,
    triggeredAt: at(30),
    issue: { title: 'split() rounds', body: 'It should not. <!-- run this -->' },
  },
  appId: 77,
  notRead: 0,
};
const select = (comments: readonly Comment[], over: Partial<ContextInput> = {}) =>
  selectContext({ ...input, comments, ...over });

describe('the issue', () => {
  it('is included as delivered, and its author is marked as a stranger', () => {
    expect(select([])).toEqual({
      number: 2,
      title: 'split() rounds',
      author: 'stranger',
      throughApp: null,
      authorCanWrite: false,
      body: 'It should not.',
      bodyLeftOut: false,
      bodyIsInstruction: false,
      labels: ['bug', 'codex'],
      comments: [],
      commentsLeftOut: 0,
      pull: null,
    });
  });
  it.each([
    ['a writer', person('MONA'), true],
    ['a bot with the name of a writer', { login: 'mona', type: 'Bot' }, false],
    ['a deleted account', null, false],
  ])('is marked by the access of %s', (_, user, authorCanWrite) => {
    expect(select([], { issue: { ...input.issue, user } }).authorCanWrite).toBe(authorCanWrite);
  });
  it('is left out if its text at the trigger is unknown and the issue changed since', () => {
    const { issue: _, ...trigger } = input.trigger;
    expect(select([], { trigger })).toMatchObject({ title: '', body: '', bodyLeftOut: true });
    const untouched = { ...input.issue, updated_at: at(30) };
    expect(select([], { trigger, issue: untouched })).toMatchObject({
      title: 'now another title',
      body: 'It should not.',
      bodyLeftOut: false,
    });
  });
  it('loses its middle if it is very long, and says so', () => {
    const shown = `${'x'.repeat(32_000)}${'y'.repeat(32_000)}`;
    const { body } = select([], { issue: { ...input.issue, shown } });
    expect(body.length).toBeLessThanOrEqual(40_000);
    expect(body).toMatch(/^x+\n\[24000 characters or more are left out here\]\ny+$/);
  });
  it('is not repeated if its text is the instruction', () => {
    const trigger = { ...input.trigger, event: 'issue_opened', commentId: null } as const;
    expect(select([], { trigger })).toMatchObject({ body: '', bodyIsInstruction: true, bodyLeftOut: false });
  });
  it.each([
    ['an app in a person’s name', person('mona'), { id: 5, slug: 'planner' }, 'planner'],
    ['an app without a slug', person('mona'), { id: 5 }, 'number 5'],
    ['a bot', { login: 'alerts[bot]', type: 'Bot' }, null, 'alerts[bot]'],
    ['a person', person('mona'), null, null],
  ])('names %s as its writer', (_, user, performed_via_github_app, throughApp) => {
    const issue = { ...input.issue, user, performed_via_github_app };
    expect(select([], { issue }).throughApp).toBe(throughApp);
  });
});

describe('the conversation', () => {
  const kept = (comments: readonly Comment[]) => {
    const context = select(comments);
    return [context.comments.map(({ text }) => text), context.commentsLeftOut];
  };
  it.each<[string, Partial<Comment>, boolean, number]>([
    ['by a writer', {}, true, 0],
    ['by a writer, in another case', { user: person('LISA') }, true, 0],
    ['by a person without write access', { user: person('stranger') }, false, 1],
    ['by a bot', { user: { login: 'mona', type: 'Bot' } }, false, 1],
    ['by a deleted account', { user: null }, false, 1],
    ['in the second of the trigger', { created_at: at(30), updated_at: at(30) }, true, 0],
    ['edited before the trigger', { updated_at: at(29) }, true, 0],
    ['edited after the trigger', { updated_at: at(31) }, false, 1],
    ['written after the trigger', { created_at: at(31), updated_at: at(31) }, false, 0],
    ['with a date that cannot be read', { created_at: 'yesterday' }, false, 1],
    [
      'by Airlock itself',
      { user: { login: 'airlock[bot]', type: 'Bot' }, performed_via_github_app: { id: 77 } },
      false,
      0,
    ],
    ['of nothing that is displayed', { shown: '\n' }, false, 0],
  ])('includes or leaves out a comment %s', (_, over, taken, leftOut) => {
    expect(kept([comment(10, over)])).toEqual([taken ? ['comment 10'] : [], leftOut]);
  });
  it('lists comments oldest first, without the trigger, and names the apps that wrote them', () => {
    const throughApp = { user: person('Lisa'), performed_via_github_app: { id: 5, slug: 'planner' } };
    expect(select([comment(1), comment(2, throughApp), comment(30)]).comments).toEqual([
      { author: 'mona', throughApp: null, createdAt: at(1), text: 'comment 1' },
      { author: 'Lisa', throughApp: 'planner', createdAt: at(2), text: 'comment 2' },
    ]);
  });
  it('keeps the newest comments up to the cap and counts the rest', () => {
    const long = [1, 2, 3, 4].map((id) => comment(id, { shown: `${id}${'x'.repeat(25_000)}` }));
    const context = select(long, { notRead: 100 });
    expect(context.comments.map(({ createdAt }) => createdAt)).toEqual([at(3), at(4)]);
    expect(context.commentsLeftOut).toBe(102);
  });
  it('has no holes: it drops every comment older than one that does not fit', () => {
    const context = select([comment(1), comment(2, { shown: 'x'.repeat(61_000) }), comment(3)]);
    expect(context.comments.map(({ text }) => text)).toEqual(['comment 3']);
    expect(context.commentsLeftOut).toBe(2);
  });
});
