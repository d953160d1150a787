/** Tokens of a task are revoked at its end, although the process that minted them is gone. */
import { describe, expect, it } from 'vitest';
import { createAppTokens, purposes, type AppTokens } from '../../src/github/app-auth.ts';
import type { TokenLedger } from '../../src/github/token-ledger.ts';
import { appId, factsOf, privateKey, simulatedGithub } from './simulated-github.ts';

const taskId = 'gh-1-c77';

/** As the record keeps it: outlives a process. */
function durableLedger() {
  const live = new Map<string, number>();
  const ledger: TokenLedger = {
    remember: async (_, sealed, expiresAt) => void live.set(sealed, expiresAt),
    live: async () => [...live.keys()],
    forget: async (_, sealed) => void live.delete(sealed),
  };
  return { live, ledger };
}

async function world() {
  const simulator = await simulatedGithub();
  const repository = await simulator.createRepository({ owner: 'acme', name: 'split', files: { a: 'b' } });
  const { installationId, repositoryId } = factsOf(repository);
  const { live, ledger } = durableLedger();
  const startProcess = (use: TokenLedger = ledger): AppTokens =>
    createAppTokens({ apiUrl: simulator.apiUrl, fetch, now: Date.now, appId, privateKey, ledger: use });
  const scope = { taskId, installationId, repositoryId, permissions: purposes.read };
  const revoked = () => simulator.issuedTokens().map((token) => token.revoked);
  return { simulator, live, ledger, startProcess, scope, installationId, revoked };
}

describe('a token of a task', () => {
  it('is revoked by another process than the one that minted it', async () => {
    const { startProcess, scope, live, revoked } = await world();
    const token = await startProcess().tokenFor(scope);
    expect([...live.keys()].join()).not.toContain(token);
    await startProcess().forget(taskId);
    expect(revoked()).toEqual([true]);
    expect(live.size).toBe(0);
  });

  it('stays remembered until GitHub has revoked it', async () => {
    const { simulator, startProcess, scope, live, revoked } = await world();
    await startProcess().tokenFor(scope);
    simulator.failNext({ method: 'DELETE', path: /\/installation\/token$/, status: 403 });
    await startProcess().forget(taskId);
    expect([revoked(), live.size]).toEqual([[false], 1]);
    await startProcess().forget(taskId);
    expect([revoked(), live.size]).toEqual([[true], 0]);
  });

  it('is minted again if the request that minted it went away without an end', async () => {
    const { simulator, scope } = await world();
    let now = 0;
    let sent = 0;
    const vanishing: typeof fetch = async (...asked) => {
      sent += 1;
      return sent === 1 ? await new Promise<never>(() => undefined) : await fetch(...asked);
    };
    const { apiUrl } = simulator;
    const tokens = createAppTokens({ apiUrl, fetch: vanishing, now: () => now, appId, privateKey });
    void tokens.tokenFor(scope).catch(() => undefined);
    await expect.poll(() => sent).toBe(1);
    now = 30_000;
    expect(await tokens.tokenFor(scope)).toMatch(/^ghs_/);
  });

  it('is revoked and not used when it cannot be remembered', async () => {
    const { startProcess, scope, ledger, revoked } = await world();
    const full = { ...ledger, remember: async () => await Promise.reject(new Error('the disk is full')) };
    await expect(startProcess(full).tokenFor(scope)).rejects.toThrow('the disk is full');
    expect(revoked()).toEqual([true]);
  });
});

it('asks GitHub for the name of the App', async () => {
  const { startProcess } = await world();
  expect(await startProcess().slug()).toBe('airlock');
});

it('revokes a token that lists repositories after its use, also when that failed', async () => {
  const { startProcess, installationId, live, revoked } = await world();
  const tokens = startProcess();
  await tokens.withListingToken(installationId, async (token) => {
    expect(token).toMatch(/^ghs_/);
    await Promise.resolve();
  });
  const failing = tokens.withListingToken(installationId, async () => await Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect([revoked(), live.size]).toEqual([[true, true], 0]);
});
