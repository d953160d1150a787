/**
 * Where the programs lie that a sandbox is built from. Decides which files of this machine a sandbox gets to see, besides `/usr`.
 */
import { existsSync, realpathSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strippedScripts, type Scripts } from './stripped-scripts.ts';
import type { Architecture } from './seccomp.ts';

export interface Programs {
  readonly architecture: Architecture;
  readonly bwrap: string;
  /** A folder with `bin/node`, or null when Node lies in a folder that holds more: then only the file is shown. */
  readonly nodeFolder: string | null;
  readonly nodeFile: string;
  /** The Codex package's vendor folder; null when it is not installed, and then there is no Codex inside. */
  readonly codexFolder: string | null;
  /** `prlimit` of util-linux; null where it is missing, and then no per-process limits are set. */
  readonly prlimit: string | null;
  /** Starts what no control group keeps from starving the host; null where it is missing. */
  readonly nice: string | null;
  readonly checkout: string;
  /** What runs in and around the sandbox, ready to be bound. */
  readonly scripts: Scripts;
}

const targets: Readonly<Record<string, { architecture: Architecture; package: string; triple: string }>> = {
  x64: { architecture: 'x64', package: 'codex-linux-x64', triple: 'x86_64-unknown-linux-musl' },
  arm64: { architecture: 'arm64', package: 'codex-linux-arm64', triple: 'aarch64-unknown-linux-musl' },
};

/** Null when this machine has no bubblewrap at all, or is of another kind than x64 and arm64. */
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
    nice: existsSync('/usr/bin/nice') ? '/usr/bin/nice' : null,
    checkout,
    scripts: strippedScripts(checkout),
  };
}
