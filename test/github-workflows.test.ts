/** Checks the GitHub workflows: scripts exist, actions are pinned, permissions are minimal. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const folder = join(root, '.github/workflows');
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

const step = z.strictObject({
  name: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  run: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
});
const job = z.looseObject({
  permissions: z.record(z.string(), z.string()),
  'runs-on': z.string(),
  'timeout-minutes': z.int().max(60),
  environment: z.string().optional(),
  if: z.string().optional(),
  strategy: z.unknown().optional(),
  steps: z.array(step).min(1),
});
const workflow = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.union([z.boolean(), z.string()]) }),
  jobs: z.record(z.string(), job),
});

/** Action and commit → release tag. Update both when raising an action. */
const pinned: Readonly<Record<string, string>> = {
  'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1': 'v7.0.1',
  'actions/setup-node@820762786026740c76f36085b0efc47a31fe5020': 'v7.0.0',
};

const files = readdirSync(folder);
it('the workflows are CI and deployment', () => {
  expect(files.toSorted()).toEqual(['ci.yml', 'deploy.yml']);
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const parsed = workflow.parse(parse(text));
  const jobs = Object.values(parsed.jobs);
  const steps = jobs.flatMap((one) => one.steps);

  it('pins actions by full commit hash, with the release in a comment', () => {
    const used = [...text.matchAll(/uses: (\S+)( # (v\S+))?$/gm)].map(([, action = '', , tag]) => ({
      action,
      tag,
    }));
    expect(used.length).toBe(steps.filter(({ uses }) => uses !== undefined).length);
    expect(used.filter(({ action, tag }) => tag === undefined || pinned[action] !== tag)).toEqual([]);
  });

  it('has only permission to read the repository', () => {
    expect(parsed.permissions).toEqual({});
    expect(jobs.map(({ permissions }) => permissions)).toEqual(jobs.map(() => ({ contents: 'read' })));
  });

  it('stores no token in the checkout', () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@') === true);
    expect(checkouts.length).toBe(jobs.length);
    expect(checkouts.map((one) => one.with?.['persist-credentials'])).toEqual(checkouts.map(() => false));
  });

  it('runs only scripts of package.json', () => {
    const named = steps.flatMap(({ run = '' }) =>
      [...run.matchAll(/npm (?:run )?([\w:-]+)/g)].map((match) => match[1] ?? ''),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => name !== 'ci' && !(name in scripts))).toEqual([]);
  });

  it('expands no expression inside a command', () => {
    expect(steps.filter(({ run = '' }) => run.includes('${{'))).toEqual([]);
  });

  it('never runs code of a fork with secrets', () => {
    expect(Object.keys(parsed.on)).not.toContain('pull_request_target');
    expect('pull_request' in parsed.on && text.includes('secrets.')).toBe(false);
  });
});

describe('deploy.yml', () => {
  const deploy = workflow.parse(parse(readFileSync(join(folder, 'deploy.yml'), 'utf8')));
  const [only] = Object.values(deploy.jobs);

  it('is started by hand, from main, for an environment with protection rules', () => {
    expect(Object.keys(deploy.on)).toEqual(['workflow_dispatch']);
    expect(only?.environment).toBe('${{ inputs.environment }}');
    expect(only?.if).toBe("github.ref == 'refs/heads/main'");
  });

  it('runs once at a time per environment, and is never cancelled', () => {
    expect(deploy.concurrency).toEqual({
      group: 'deploy-${{ inputs.environment }}',
      'cancel-in-progress': false,
    });
  });

  it('gives its secrets to the last step only', () => {
    const withSecrets = only?.steps.map(({ env = {} }) => JSON.stringify(env).includes('secrets.')) ?? [];
    expect(withSecrets.indexOf(true)).toBe(withSecrets.length - 1);
  });
});
