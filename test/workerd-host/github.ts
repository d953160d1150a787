/** The outside of the tests in workerd: a simulated GitHub with one repository, issue and App. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-workerd-'));
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const webhookSecret = 'shared with nobody but the test';
  const simulator = await startGithubSimulator({
    stateDir,
    app: {
      id: 4242,
      slug: 'acme-codex',
      publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }),
    },
    webhook: { url: null, secret: webhookSecret },
  });
  const at = { owner: 'acme', name: 'split' };
  const repository = await simulator.createRepository({
    ...at,
    files: { 'README.md': '# Split\n' },
    collaborators: [
      { login: 'ada', permission: 'write' },
      { login: 'rea', permission: 'read' },
    ],
  });
  const issue = await simulator.openIssue({
    ...at,
    author: 'ada',
    title: 'Rounding',
    body: 'It rounds wrongly.',
  });
  if (repository.installationId === null) throw new Error('the App is not installed');
  project.provide('github', {
    apiUrl: simulator.apiUrl,
    appId: '4242',
    pkcs1: keys.privateKey.export({ type: 'pkcs1', format: 'pem' }),
    pkcs8: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    webhookSecret,
  });
  project.provide('repository', {
    id: repository.id,
    installationId: repository.installationId,
    headSha: repository.headSha,
    issue: issue.number,
  });
  const idOf = async (login: string): Promise<number> => {
    const answer = await fetch(`${simulator.apiUrl}/users/${login}`);
    return z.object({ id: z.number() }).parse(await answer.json()).id;
  };
  project.provide('people', { ada: await idOf('ada'), rea: await idOf('rea'), eve: 424_242 });
  return async () => {
    await simulator.close();
    await rm(stateDir, { recursive: true, force: true });
  };
}
