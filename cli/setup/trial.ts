/** Tries settings with the doctor's own checks before they are stored. */
import { withSigningSecret } from '../../host/environment.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Service } from '../../src/doctor/service.ts';
import { refusalIn, type Refusal } from './refusal.ts';
import type { Store } from './store.ts';

export class Trial {
  private readonly deps: Service & { readonly store: Store; readonly now: () => number };

  constructor(deps: Service & { readonly store: Store; readonly now: () => number }) {
    this.deps = deps;
  }

  /** The first check that fails among those whose id matches; `configText` in place of the stored one. */
  async of(
    candidate: Readonly<Record<string, string | null>>,
    checks: RegExp,
    configText?: string,
  ): Promise<Refusal | null> {
    const { store, now, fetch, timeoutMs } = this.deps;
    const read = await store.config();
    if ('problem' in read) return read;
    const given = Object.entries(candidate).flatMap(([name, value]) =>
      value === null ? [] : [[name, value] as const],
    );
    const stored = Object.entries(await store.settings()).filter(([name]) => !(name in candidate));
    const findings = await examine({
      environment: withSigningSecret(Object.fromEntries([...stored, ...given])),
      configText: configText ?? read.text,
      configName: 'airlock.config.jsonc',
      publicUrl: null,
      probeSandbox: null,
      only: (id) => checks.test(id),
      fetch,
      timeoutMs,
      now,
    });
    return refusalIn(findings);
  }
}
