/** Runs the tests of the sandbox contract against a deployment, in a program of their own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunProgram } from '../deploy/run-program.ts';
import type { BotApi } from '../task/bot-api.ts';
import { contractResultOf, type ContractResult } from './judge-deep.ts';

const contractMs = 11 * 60_000;
const tests = 'test/cloudflare/deployed-contract.test.ts';

export async function runContract(run: RunProgram, { url, apiToken }: BotApi): Promise<ContractResult> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-contract-'));
  const report = join(folder, 'report.json');
  try {
    const argv = [
      'vitest',
      'run',
      '--project',
      'processes',
      '--reporter=json',
      `--outputFile=${report}`,
      tests,
    ];
    await run(argv, {
      env: { AIRLOCK_CONTRACT_URL: url, AIRLOCK_CONTRACT_TOKEN: apiToken },
      timeoutMs: contractMs,
    });
    return contractResultOf(await readFile(report, 'utf8').catch(() => ''));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
