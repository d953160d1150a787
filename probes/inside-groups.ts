/** The groups whose probes are carried out inside the sandbox, in the order of the table. */
import { cloudflareExample } from './groups/cloudflare-example.ts';
import { credentials } from './groups/credentials.ts';
import { github } from './groups/github.ts';
import { githubPaths } from './groups/github-paths.ts';
import { host } from './groups/host.ts';
import { httpAddress } from './groups/http-address.ts';
import { httpFraming } from './groups/http-framing.ts';
import { network } from './groups/network.ts';
import { openaiBody } from './groups/openai-body.ts';
import { openaiInput } from './groups/openai-input.ts';
import { openaiEncoding } from './groups/openai-encoding.ts';
import { openaiEndpoints } from './groups/openai-endpoints.ts';
import { otherDoors } from './groups/other-doors.ts';
import type { Group } from './probe.ts';

export const insideGroups: readonly Group[] = [
  cloudflareExample,
  github,
  githubPaths,
  openaiEndpoints,
  openaiBody,
  openaiInput,
  openaiEncoding,
  httpAddress,
  httpFraming,
  network,
  otherDoors,
  host,
  credentials,
];
