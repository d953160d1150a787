/**
 * The attack table by subject. A new rule of the egress decision adds its rows in the file of its subject.
 */
import { address } from './address.ts';
import type { Attack } from './attack.ts';
import { framing } from './framing.ts';
import { github } from './github.ts';
import { githubSpelling } from './github-spelling.ts';
import { grants } from './grants.ts';
import { handshake } from './handshake.ts';
import { openaiBody } from './openai-body.ts';
import { openaiEndpoints } from './openai-endpoints.ts';
import { openaiInput } from './openai-input.ts';
import { openaiSpelling } from './openai-spelling.ts';
import { otherHosts } from './other-hosts.ts';
import { pipelines } from './pipelines.ts';
import { privateRegistries } from './private-registries.ts';
import { protocol } from './protocol.ts';

export const attackTable = {
  github,
  'github-paths': githubSpelling,
  'openai-endpoints': openaiEndpoints,
  'openai-body': openaiBody,
  'openai-input': openaiInput,
  'openai-encoding': openaiSpelling,
  'http-address': [...address, ...handshake, ...protocol],
  'http-framing': [...framing, ...pipelines],
  'other-doors': otherHosts,
  grants: [...grants, ...privateRegistries],
} as const satisfies Readonly<Record<string, readonly Attack[]>>;

export const allAttacks: readonly Attack[] = Object.values(attackTable).flat();
