/**
 * The groups whose probes run inside the sandbox, in the order of the report: attacks of the table, and
 * programs of their own.
 */
import { attackTable } from './attacks/table.ts';
import { cloudflareExample } from './groups/cloudflare-example.ts';
import { container } from './groups/container.ts';
import { credentials } from './groups/credentials.ts';
import { githubPrograms } from './groups/github.ts';
import { host } from './groups/host.ts';
import { network } from './groups/network.ts';
import { otherDoors } from './groups/other-doors.ts';
import { attackProbes } from './inside-attacks.ts';
import type { Group, Place, Probe } from './probe.ts';

/** A group of the attack table, and the programs that belong to it. */
const fromTable = (
  name: keyof typeof attackTable,
  about: string,
  programs: (place: Place) => readonly Probe[] = () => [],
): Group => ({
  name,
  about,
  probes: (place) => [...programs(place), ...attackProbes(attackTable[name], place)],
});

export const insideGroups: readonly Group[] = [
  cloudflareExample,
  fromTable('github', 'github.com as an exfiltration channel for an account there', githubPrograms),
  fromTable('github-paths', 'the one open door of github.com, in odd spellings'),
  fromTable('openai-endpoints', 'api.openai.com as an exfiltration channel for a key of one’s own'),
  fromTable('openai-body', 'the model’s own endpoint: hosted tools, stored state'),
  fromTable('openai-input', 'the model’s own endpoint: addresses and file ids, wherever they hide'),
  fromTable('openai-encoding', 'one body, two readings'),
  fromTable('http-address', 'requests that name two hosts, tunnels, upgrades, odd methods'),
  fromTable('http-framing', 'smuggling: lengths, chunks, pipelines, broken headers'),
  network,
  fromTable('other-doors', 'other hosts, proxies, other sandboxes, the control line', otherDoors),
  host,
  container,
  credentials,
];
