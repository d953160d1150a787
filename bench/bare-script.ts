/** The baseline: `git clone`, `codex exec` and `git push` on the same machine, without a sandbox. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codexConfig, toToml } from '../src/codex/config-toml.ts';
import { findPrograms } from '../host/sandbox/programs.ts';

const run = promisify(execFile);

export interface BareRun {
  /** Contains credentials, as in a simple script. */
  readonly cloneUrl: string;
  readonly openaiUrl: string;
  readonly openaiKey: string;
  readonly model: string;
  readonly prompt: string;
  readonly branch: string;
}

/** Returns the seconds from the start to the pushed branch. */
export async function runBareScript(job: BareRun): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-bare-'));
  try {
    const codexHome = join(folder, 'codex');
    await mkdir(codexHome);
    const clone = join(folder, 'repo');
    const config = codexConfig({ openaiBaseUrl: job.openaiUrl, model: job.model, repository: clone });
    await writeFile(join(codexHome, 'config.toml'), toToml(config));
    const codexFolder = findPrograms()?.codexFolder;
    if (codexFolder == null) throw new Error('Codex is not installed: npm ci');
    const git = ['-C', clone, '-c', 'user.name=script', '-c', 'user.email=script@example.invalid'];
    const startedAt = performance.now();
    await run('git', ['clone', '--quiet', job.cloneUrl, clone]);
    const codex = run(join(codexFolder, 'bin', 'codex'), ['exec', '--json', '-C', clone, job.prompt], {
      env: { ...process.env, CODEX_HOME: codexHome, OPENAI_API_KEY: job.openaiKey },
      maxBuffer: 64 * 1024 * 1024,
      timeout: 300_000,
    });
    // With an open standard input, Codex would wait for more of the prompt.
    codex.child.stdin?.end();
    await codex;
    await run('git', [...git, 'commit', '--quiet', '--all', '--message', 'Change']);
    await run('git', [...git, 'push', '--quiet', 'origin', `HEAD:refs/heads/${job.branch}`]);
    return (performance.now() - startedAt) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
