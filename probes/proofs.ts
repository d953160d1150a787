/**
 * Protections, and how to take each one away: the text of a program to replace. Without its protection, a
 * probe must leak. `prove.ts` runs the table.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProbedSandbox } from './probe.ts';

export interface Patch {
  /** Below the checkout. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Proof {
  readonly protection: string;
  /** The ids of the probes that must leak without it. */
  readonly probes: RegExp;
  /** Where; default `local`. */
  readonly sandbox?: ProbedSandbox;
  readonly patches: readonly Patch[];
}

const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });
const archive = 'src/core/setup-archive.ts';
const inside = 'src/sandbox/cloudflare-script.ts';
const layout = 'host/sandbox/layout.ts';
const requestHead = 'host/sandbox/request-head.ts';

export const proofs: readonly Proof[] = [
  {
    protection: 'inherited descriptors are closed, and init’s list of them is checked',
    // Node itself closes the one at 16.
    probes: /^crossing\/descriptor-(?!16$)/,
    patches: [
      patch('host/sandbox/inherited-descriptors.ts', 'descriptor > highest &&', 'descriptor < 0 &&'),
      patch('host/sandbox/running-sandbox.ts', "descriptors: z.literal('0 1 2')", 'descriptors: z.string()'),
    ],
  },
  {
    protection: 'the setup cache has an allowlist of folders',
    probes: /^crossing\/cache-(?:instructions-for-codex|settings-of-git)$/,
    patches: [patch(archive, 'name.startsWith(`${root}/`)) ?? null', "name.startsWith(`${root}/`)) ?? ''")],
  },
  {
    protection: 'the setup cache refuses what belongs to git',
    probes: /^crossing\/cache-a-hook-of-the-clone$/,
    patches: [patch(archive, "components.includes('.git')", 'false')],
  },
  {
    protection: 'the setup cache refuses settings at the top of the clone',
    probes: /^crossing\/cache-instructions-at-the-top/,
    patches: [patch(archive, "neverCached.includes(components[0] ?? '')", 'false')],
  },
  {
    protection: 'the setup cache checks the targets of links',
    probes: /^crossing\/cache-a-link-/,
    patches: [patch(archive, '!staysInside(name, linkName, root)', 'false')],
  },
  {
    protection: 'the setup cache refuses special bits',
    probes: /^crossing\/cache-a-program-/,
    patches: [patch(archive, '(mode & specialBits) !== 0', 'false')],
  },
  {
    protection: 'the setup cache has an allowlist of types',
    probes: /^crossing\/cache-a-named-pipe$/,
    patches: [
      patch(
        'src/lib/tar-headers.ts',
        'const types: Readonly<Record<string, TarType>> = {',
        "const types: Readonly<Record<string, TarType>> = {\n  '6': 'file',",
      ),
    ],
  },
  {
    protection: 'a frame that answers no call closes the control channel',
    probes: /^crossing\/forged-answer$/,
    patches: [patch('host/sandbox/control-channel.ts', "throw new Error('init answered no call')", 'return')],
  },
  {
    protection: 'SIGUSR1 does not open the inspector',
    probes: /^crossing\/inspector$/,
    patches: [
      patch('src/core/checkout.ts', "  '--disable-sigusr1',", ''),
      patch(layout, "    '--disable-sigusr1',", ''),
    ],
  },
  {
    protection: 'the end of a phase aborts its transfers',
    probes: /^crossing\/transfer$/,
    patches: [patch('src/egress/phase-end.ts', 'if (over) abort', 'if (false) abort')],
  },
  {
    protection: 'the sandbox gets an environment of its own',
    probes: /^host\/ssh-agent$/,
    patches: [
      patch(layout, " --clearenv'),\n    // Each folder", "'),\n    // Each folder"),
      patch(layout, " --clearenv'),\n    ...Object", "'),\n    ...Object"),
      patch(
        'host/sandbox/running-sandbox.ts',
        "cwd: '/',\n    env: {},",
        "cwd: '/', env: { SSH_AUTH_SOCK: globalThis.process.env['SSH_AUTH_SOCK'] },",
      ),
      patch('host/sandbox/supervisor.ts', '  env: {},\n', ''),
    ],
  },
  {
    protection: 'no further user namespaces',
    probes: /^host\/(?:user-namespace|call-unshare)$/,
    patches: [patch(layout, ' --disable-userns', '')],
  },
  {
    protection: 'no capability, and init’s proof of it',
    probes: /^host\/(?:other-namespaces|capabilities)$/,
    patches: [
      patch(layout, '--gid 1000 --cap-drop ALL', '--gid 1000 --cap-add ALL'),
      patch('host/sandbox/running-sandbox.ts', 'regex(/^0+$/)', 'min(1)'),
    ],
  },
  {
    protection: 'the disks have a limit of inodes',
    probes: /^exhaustion\/files-/,
    patches: [patch(layout, 'Math.max(minInodes, Math.floor(bytes / bytesPerInode))', '0')],
  },
  {
    protection: 'the system call filter allows one protocol of netlink',
    probes: /^network\/socket-netlink-/,
    patches: [patch('host/sandbox/seccomp.ts', '    fail(EPROTONOSUPPORT),', '    allow,')],
  },
  {
    protection: 'the gateway refuses methods that workerd does not know',
    probes: /^github-paths\/.*-which-workerd-does-not-know$/,
    patches: [patch(requestHead, '!methods.has(head.method)', 'false')],
  },
  {
    protection: 'the gateway refuses characters that no URL may have',
    probes: /^github-paths\/.*in-a-(?:path|query)/,
    patches: [patch(requestHead, 'foreignInTarget.test(target)', 'false')],
  },
  {
    protection: 'commands in a container run as a user without rights',
    probes: /^container\/(?:exit-status|programs|writable)$/,
    sandbox: 'sdk',
    patches: [patch(inside, '  drop=(setpriv ', '  drop=(env) ignored=(setpriv ')],
  },
  {
    protection: 'commands in a container cannot gain rights',
    probes: /^host\/no-new-privileges$/,
    sandbox: 'native',
    patches: [patch(inside, ' --no-new-privs', '')],
  },
  {
    protection: 'commands in a container have no capability in any set',
    probes: /^host\/capabilities$/,
    sandbox: 'native',
    patches: [patch(inside, ' --bounding-set=-all', '')],
  },
];

/** The file below `root`, patched. Throws unless the text occurs exactly once. */
export async function patched(root: string, { file, find, replace }: Patch): Promise<string> {
  const [before = '', after, ...more] = (await readFile(join(root, file), 'utf8')).split(find);
  if (after === undefined || more.length > 0) throw new Error(`${file} does not have once: ${find}`);
  return `${before}${replace}${after}`;
}
