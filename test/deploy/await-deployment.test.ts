/** Tests waiting for a deployment, with a scripted server. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awaitDeployment } from '../../cli/deploy/await-deployment.ts';
import { listen } from '../sandbox/local-subject.ts';

interface Answer {
  readonly health?: number;
  readonly status?: number;
  readonly body?: object;
}
const report = (deploymentId: string | null): Answer => ({
  body: { version: '1.0.0', configHash: 'a', deploymentId, findings: [] },
});

let server: Awaited<ReturnType<typeof listen>>;
/** Answers in order; the last one repeats. */
let answers: Answer[] = [];
let questions = 0;

beforeAll(async () => {
  server = await listen((request, response) => {
    const [{ health = 200, status = 200, body = {} } = {}] = answers;
    if (request.url === '/healthz')
      return void response.writeHead(health).end(JSON.stringify({ ok: true, version: '1.0.0' }));
    questions += 1;
    if (answers.length > 1) answers.shift();
    return void response.writeHead(status).end(JSON.stringify(body));
  });
});
afterAll(() => server.close());
beforeEach(() => {
  questions = 0;
});

async function wait(options: { versionId?: string | null; forMs?: number } = {}) {
  let waited = false;
  const other = await awaitDeployment({
    url: server.origin,
    versionId: 'new',
    apiToken: 'a-token-of-the-deployment',
    fetch,
    stop: AbortSignal.timeout(120_000),
    forMs: 5000,
    everyMs: 10,
    waiting: () => (waited = true),
    ...options,
  });
  return { other, waited };
}

describe('awaitDeployment', () => {
  it('returns at once when the uploaded version answers', async () => {
    answers = [report('new')];
    expect(await wait()).toEqual({ other: null, waited: false });
  });

  it('waits while the previous deployment or one with another token answers', async () => {
    answers = [report('old'), report(null), { status: 401 }, { status: 400 }, report('new')];
    expect(await wait()).toEqual({ other: null, waited: true });
    expect(questions).toBe(5);
  });

  it.each<[string, Answer, string | null]>([
    ['another deployment', report('old'), 'old'],
    ['one without an id', report(null), 'without an id'],
    ['a version that knows no ids', { status: 400 }, 'without an id'],
    ['one that refuses the token, which the doctor reports', { status: 401 }, null],
    ['something that is not Airlock, which the doctor reports', { health: 404 }, null],
  ])('gives up on %s', async (_, answer, other) => {
    answers = [answer];
    expect(await wait({ forMs: 100 })).toEqual({ other, waited: true });
  });

  it('accepts any Airlock if the id is not known', async () => {
    answers = [report('old')];
    expect(await wait({ versionId: null })).toEqual({ other: null, waited: false });
    expect(questions).toBe(0);
  });
});
