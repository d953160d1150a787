/** A GitHub simulator, an App key, and a client that validates answers against the OpenAPI description. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { z } from 'zod';
import type {
  GithubSimulator,
  GithubSimulatorOptions,
  NewRepository,
} from '../../../simulators/github/contract.ts';
import { startGithubSimulator } from '../../../simulators/github/simulator.ts';
import { answerViolation } from './openapi.ts';

const appId = 4711;
export const webhookSecret = 'a webhook secret for tests';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const appPublicKeyPem = publicKey.export({ type: 'spki', format: 'pem' });

/** Makes an App JWT. `claims` override the valid claims; `key` replaces the App's key. */
export function appJwt(
  claims: Readonly<Record<string, unknown>> = {},
  key = privateKey,
  alg = 'RS256',
): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, typ: 'JWT' })}.${part({ iat: now - 60, exp: now + 540, iss: appId, ...claims })}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export class TestSite {
  readonly simulator: GithubSimulator;
  readonly folder: string;

  private constructor(simulator: GithubSimulator, folder: string) {
    this.simulator = simulator;
    this.folder = folder;
  }

  static async start(
    options: {
      permissions?: NonNullable<GithubSimulatorOptions['app']['permissions']>;
      webhookUrl?: string;
    } = {},
  ): Promise<TestSite> {
    const folder = await mkdtemp(join(tmpdir(), 'github-simulator-'));
    const simulator = await startGithubSimulator({
      stateDir: join(folder, 'state'),
      app: {
        id: appId,
        slug: 'airlock',
        publicKeyPem: appPublicKeyPem,
        ...(options.permissions === undefined ? {} : { permissions: options.permissions }),
      },
      // On a busy machine a receiver can take longer than GitHub waits.
      webhook: { url: options.webhookUrl ?? null, secret: webhookSecret, answerWithinMs: 120_000 },
    });
    return new TestSite(simulator, folder);
  }

  async stop(): Promise<void> {
    await this.simulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  repository(changes: Partial<NewRepository> = {}): ReturnType<GithubSimulator['createRepository']> {
    return this.simulator.createRepository({
      owner: 'acme',
      name: 'widgets',
      files: {
        'README.md': '# Widgets\n',
        'bin/run': { content: '#!/bin/sh\nexit 0\n', mode: '100755' },
        'src/a.txt': 'one\ntwo\nthree\n',
        latest: { content: 'src/a.txt', mode: '120000' },
        'logo.bin': { content: new Uint8Array([0, 1, 2, 255, 254, 0]) },
      },
      collaborators: [
        { login: 'ada', permission: 'admin' },
        { login: 'mia', permission: 'maintain' },
        { login: 'wes', permission: 'write' },
        { login: 'tri', permission: 'triage' },
        { login: 'rex', permission: 'read' },
      ],
      ...changes,
    });
  }

  /** Calls a path below `/api/v3`. Throws if the answer violates GitHub's OpenAPI description. */
  async call(
    method: string,
    path: string,
    credential: string | null,
    body?: unknown,
    accept = 'application/json',
  ): Promise<Answer> {
    const response = await fetch(`${this.simulator.apiUrl}${path}`, {
      method,
      headers: { accept, ...(credential === null ? {} : { authorization: `Bearer ${credential}` }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isHtml = response.headers.get('content-type')?.startsWith('text/html') === true;
    const parsed: unknown = text === '' ? null : isHtml ? text : JSON.parse(text);
    const answer = { status: response.status, headers: response.headers, body: parsed };
    const violation = answerViolation(method, new URL(`http://x${path}`).pathname, response.status, parsed);
    if (violation !== null) throw new Error(`${method} ${path} → ${response.status}: ${violation}`);
    return answer;
  }

  /** Mints an installation token with this narrowing. */
  async token(
    installationId: number | null,
    narrowing: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const path = `/app/installations/${String(installationId)}/access_tokens`;
    return textAt((await this.call('POST', path, appJwt(), narrowing)).body, 'token');
  }
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner.at(Number(key));
    return z.record(z.string(), z.unknown()).parse(inner)[key];
  }, value);
}

/** The string at a dotted path. Throws if there is none. */
export function textAt(value: unknown, path: string): string {
  return z.string().parse(at(value, path));
}

export function numberAt(value: unknown, path: string): number {
  return z.number().parse(at(value, path));
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  return z.array(z.unknown()).parse(path === '' ? value : at(value, path));
}

/** Runs git without the user's configuration and without password prompts. */
export function git(
  cwd: string,
  argv: readonly string[],
  input?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
      LC_ALL: 'C',
    };
    const child = execFile('git', [...argv], { cwd, env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout: stdout.trim(), stderr });
    });
    // git may have exited without reading its input.
    child.stdin?.on('error', () => undefined).end(input ?? '');
  });
}
