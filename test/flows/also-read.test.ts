/** Each other repository that a task may read is fetched by its own token and never written. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import { ask, botComments, follow, scriptsByName, startFlow, untilEnded, type FlowWorld } from './ask.ts';

const collaborators = [{ login: 'maria', permission: 'write' }] as const;
const clone = (name: string) =>
  `git clone -q https://github.com/acme/${name}.git /tmp/${name} && cat /tmp/${name}/README.md || echo "${name}: refused"`;
const push =
  'cd /tmp/design && git -c user.name=x -c user.email=x@x commit -q --allow-empty -m x && git push -q origin HEAD || echo "push: refused"';

let flow: FlowWorld;
beforeAll(async () => {
  flow = await startFlow({
    configText: JSON.stringify({
      repositories: {
        'acme/app': { alsoRead: ['acme/design', 'Acme/Tokens'] },
        'acme/lonely': { alsoRead: ['acme/design', 'acme/elsewhere'] },
        'acme/secret': {},
      },
    }),
    script: scriptsByName({
      fetch: [
        shell(['design', 'tokens', 'secret'].map(clone).join('; ')),
        shell(push),
        applyPatch(splitBillPatch),
        finish({ title: 'Hand out every cent', summary: 'With the design at hand.' }),
      ],
    }),
  });
  const { github } = flow.world;
  for (const name of ['design', 'tokens', 'secret'])
    await github.createRepository({ owner: 'acme', name, files: { 'README.md': `${name} of acme\n` } });
  await github.createRepository({ owner: 'acme', name: 'elsewhere', files: {}, installed: false });
});
afterAll(async () => await flow.close());

it('Codex may fetch them and no other, and push to none', async () => {
  const { github } = flow.world;
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'app',
    files: splitBillFiles,
    collaborators,
  });
  const { taskId } = await ask(flow.world, '@airlock mend it [fetch]', { repository });
  const events = await follow(flow.world, taskId);
  const outputs = events.flatMap(({ body }) => (body.kind === 'command.finished' ? [body.outputTail] : []));
  expect(outputs[0]).toContain('design of acme');
  expect(outputs[0]).toContain('tokens of acme');
  expect(outputs[0]).toContain('secret: refused');
  expect(outputs[1]).toContain('push: refused');
  const view = await untilEnded(flow.world, taskId);
  expect(view.outcome).toMatchObject({ kind: 'pull-request' });
  const readers = github
    .issuedTokens()
    .filter(({ permissions }) => permissions['contents'] === 'read')
    .map(({ repositories }) => repositories);
  expect(readers.every((repositories) => repositories.length === 1)).toBe(true);
  expect(new Set(readers.flat())).toEqual(new Set(['acme/app', 'acme/design', 'acme/tokens']));
});

it('a task is refused where the App cannot read one of them', async () => {
  const { github } = flow.world;
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'lonely',
    files: splitBillFiles,
    collaborators,
  });
  const { taskId, issue } = await ask(flow.world, '@airlock mend it [fetch]', { repository });
  const view = await untilEnded(flow.world, taskId);
  expect(view.outcome).toMatchObject({ kind: 'refused', reason: { code: 'also-read-not-installed' } });
  const comment = botComments(flow.world, { ...repository, issue }).at(-1)?.body ?? '';
  expect(comment).toContain('not installed on `acme/elsewhere`');
});
