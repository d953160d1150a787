/** Starts verdaccio, an npm registry that checks tokens, with one private package and who may read it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { portOf } from '../fake-engine/http-parts.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'node_modules/verdaccio/bin/verdaccio');

export interface Verdaccio {
  readonly origin: string;
  readonly token: string;
  /** As a lock file names the package. */
  readonly integrity: string;
  close(): Promise<void>;
}

/** `publicUrl`: the address under which sandboxes know it. */
export async function startVerdaccio(publicUrl: string): Promise<Verdaccio> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-verdaccio-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: 10 } },
    uplinks: {},
    packages: { '**': { access: '$authenticated', publish: '$authenticated' } },
    log: { type: 'stdout', format: 'json', level: 'error' },
    web: { enable: false },
  };
  // YAML takes JSON.
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  const argv = [program, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, argv, {
    stdio: 'ignore',
    env: { ...process.env, VERDACCIO_PUBLIC_URL: publicUrl },
  });
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    while (
      !(await fetch(`${origin}/-/ping`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null)
        throw new Error('verdaccio ended: npm ci --prefix test/registry installs it');
      await sleep(100);
    }
    const token = await signUp(origin);
    await publish(origin, token, join(folder, 'package'));
    const named = await fetch(`${origin}/@acme%2fcents`, { headers: { authorization: `Bearer ${token}` } });
    const { versions } = packument.parse(await named.json());
    return { origin, token, integrity: versions['1.0.0'].dist.integrity, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const packument = z.object({
  versions: z.object({ '1.0.0': z.object({ dist: z.object({ integrity: z.string() }) }) }),
});

async function signUp(origin: string): Promise<string> {
  const name = 'airlock';
  const answer = await fetch(`${origin}/-/user/org.couchdb.user:${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: crypto.randomUUID() }),
  });
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

async function publish(origin: string, token: string, folder: string): Promise<void> {
  const files = {
    'package.json': JSON.stringify({
      name: '@acme/cents',
      version: '1.0.0',
      type: 'module',
      main: 'index.js',
    }),
    'index.js': 'export const cents = (amount) => Math.round(amount * 100);\n',
    '.npmrc': `@acme:registry=${origin}/\n${origin.slice('http:'.length)}/:_authToken=${token}\n`,
  };
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await run('npm', ['publish', '--loglevel=error'], { cwd: folder });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
