/** Finds the programs that a sandbox is built from. It sees these and `/usr` of this machine. */
import { existsSync, realpathSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledScripts, type Scripts } from './bundled-scripts.ts';
import type { Architecture } from './seccomp.ts';

export interface Programs {
  readonly architecture: Architecture;
  readonly bwrap: string;
  /** Folder of a Node package with `bin/node`; null if there is none, and then only `nodeFile` is bound. */
  readonly nodeFolder: string | null;
  readonly nodeFile: string;
  /** Vendor folder of the Codex package; null if it is not installed, and then the sandbox has no Codex. */
  readonly codexFolder: string | null;
  /** `prlimit` of util-linux; null if it is missing, and then no per-process limits are set. */
  readonly prlimit: string | null;
  /** Of util-linux; null if one is missing, and then nothing limits the files of a disk. */
  readonly mount: { readonly mount: string; readonly unshare: string } | null;
  readonly checkout: string;
  /** Our own scripts that run in and around the sandbox, as JavaScript. */
  readonly scripts: Scripts;
}

const targets: Readonly<Record<string, { architecture: Architecture; package: string; triple: string }>> = {
  x64: { architecture: 'x64', package: 'codex-linux-x64', triple: 'x86_64-unknown-linux-musl' },
  arm64: { architecture: 'arm64', package: 'codex-linux-arm64', triple: 'aarch64-unknown-linux-musl' },
};

/** Null if this machine has no bubblewrap or is neither x64 nor arm64. */
export function findPrograms(): Programs | null {
  const checkout = join(dirname(fileURLToPath(import.meta.url)), '../..');
  const target = targets[arch()];
  if (target === undefined) return null;
  const codexFolder = join(checkout, 'node_modules/@openai', target.package, 'vendor', target.triple);
  const bwrap = [join(codexFolder, 'codex-resources/bwrap'), '/usr/bin/bwrap', '/usr/local/bin/bwrap'].find(
    (path) => existsSync(path),
  );
  if (bwrap === undefined) return null;
  const nodeFile = realpathSync(process.execPath);
  const nodeFolder = join(checkout, 'node_modules', `node-linux-${arch()}`);
  return {
    architecture: target.architecture,
    bwrap,
    nodeFolder: existsSync(join(nodeFolder, 'bin/node')) ? nodeFolder : null,
    nodeFile,
    codexFolder: existsSync(join(codexFolder, 'bin/codex')) ? codexFolder : null,
    prlimit: existsSync('/usr/bin/prlimit') ? '/usr/bin/prlimit' : null,
    mount:
      existsSync('/usr/bin/mount') && existsSync('/usr/bin/unshare')
        ? { mount: '/usr/bin/mount', unshare: '/usr/bin/unshare' }
        : null,
    checkout,
    scripts: bundledScripts(checkout),
  };
}
