/** The attack table against the pure decision: the head first, then the body. */
import { describe, expect, it } from 'vitest';
import type { Attack, Decision } from '../../probes/attacks/attack.ts';
import { attacksFor } from '../../probes/attacks/drivers.ts';
import { bodyOf, headersOf, urlOf } from '../../probes/attacks/spelled.ts';
import { attackTable } from '../../probes/attacks/table.ts';
import { decideEgress } from './decide.ts';
import { decideResponsesBody } from './openai-body.ts';
import { ordinaryGrant } from '../../test/egress/ordinary-grant.ts';

const upstreamHosts = ['ghe.example.com'];

function decide({ pieces, grant }: Attack): Decision {
  const whole = { ...ordinaryGrant, ...grant };
  if (pieces.kind === 'bytes') throw new Error('a decision sees no bytes');
  const url = pieces.kind === 'url' ? pieces.url : urlOf(pieces);
  const headers = pieces.kind === 'url' ? new Map<string, string>() : headersOf(pieces);
  const method = pieces.kind === 'url' ? 'GET' : pieces.method;
  const header = (name: string) => headers.get(name) ?? null;
  const verdict = decideEgress({ method, url, header }, whole, upstreamHosts);
  switch (verdict.kind) {
    case 'deny':
      return { verdict: 'denied', rule: verdict.rule, status: verdict.status };
    case 'answer':
      return { verdict: 'allowed', rule: verdict.rule, status: 200, reaches: '' };
    case 'allow-github': {
      const { owner, name } = verdict.repository;
      return allowed(verdict.rule, `${method} github.com/${owner}/${name}.git/${verdict.endpoint}`);
    }
    case 'allow-registry':
      return allowed(verdict.rule, `${verdict.method} ${verdict.target.replace('https://', '')}`);
    case 'inspect-openai':
      return decideBody(pieces, whole);
    case 'allow-host':
    case 'inspect-lfs':
    case 'fetch-lfs-object':
      return allowed(verdict.rule, '');
  }
}

function decideBody(pieces: Attack['pieces'], grant: typeof ordinaryGrant): Decision {
  if (pieces.kind !== 'request') throw new Error('a request to the model has a body');
  const verdict = decideResponsesBody(bodyOf(pieces), grant);
  return verdict.kind === 'deny'
    ? { verdict: 'denied', rule: verdict.rule, status: verdict.status }
    : allowed('openai.responses', 'POST api.openai.com/v1/responses');
}

const allowed = (rule: string, reaches: string): Decision => ({
  verdict: 'allowed',
  rule,
  status: 200,
  reaches,
});

describe.each(Object.entries(attackTable))('the decision on %s', (_, attacks) => {
  it.each(attacksFor('decision', attacks).map((attack) => [title(attack), attack] as const))(
    '%s',
    (_title, attack) => {
      expect(decide(attack)).toEqual(attack.expect.decisions[0]);
    },
  );
});

function title({ name, expect: { decisions } }: Attack): string {
  const [decision] = decisions;
  return `${decision?.verdict === 'allowed' ? 'allows' : 'denies'} ${name} (${decision?.rule})`;
}
