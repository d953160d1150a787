import { expect, it } from 'vitest';
import { hostNameProblem } from '../config/host-name.ts';
import { decideEgress } from '../egress/decide.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { reservedAs } from './reserved-hosts.ts';

it.each([
  ['github.com', 'credential'],
  ['api.github.com', 'credential'],
  ['raw.githubusercontent.com', 'credential'],
  ['pipelines.githubapp.com', 'credential'],
  ['acme.ghe.com', 'credential'],
  ['api.openai.com', 'credential'],
  ['chatgpt.com', 'credential'],
  ['metadata.google.internal', 'internal'],
  ['printer.local', 'internal'],
  ['router.home.arpa', 'internal'],
  ['hidden.onion', 'internal'],
] as const)('reserves %s (%s) for the configuration and for the egress decision alike', (host, kind) => {
  expect(reservedAs(host)).toBe(kind);
  expect(hostNameProblem(host)).not.toBeNull();
  const grant = { ...exampleGrant, extraHosts: [host], setupHosts: [host] };
  for (const phase of ['setup', 'run'] as const)
    expect(
      decideEgress({ method: 'GET', url: `https://${host}/`, header: () => null }, { ...grant, phase }).kind,
    ).toBe('deny');
});

it.each(['github.community', 'notgithub.com', 'openai.com.example.org', 'internal.example.com'])(
  'does not reserve %s',
  (host) => {
    expect(reservedAs(host)).toBeNull();
    expect(hostNameProblem(host)).toBeNull();
  },
);
