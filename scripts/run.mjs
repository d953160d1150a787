// Starts one of the project's programs: installs the dependencies if needed, then runs it under the project's
// own Node. Plain JavaScript without dependencies, because it runs on the machine's Node (20 or newer) before
// anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [program, ...args] = process.argv.slice(2);
if (program === undefined) fail('usage: node scripts/run.mjs PROGRAM.ts [ARGUMENTS]');

installIfNeeded();
const bin = join(root, 'node_modules', '.bin');
const node = join(bin, 'node');
if (!existsSync(node))
  fail(
    `Node 26 is not available for ${process.platform}-${process.arch}. ` +
      'Airlock runs on Linux and macOS, on x64 and arm64.',
  );

const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, program), ...args], {
  // Carries no messages: when this process is killed, the channel closes and the program notices.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  cwd: process.env.INIT_CWD === undefined ? process.cwd() : root,
  env: {
    // Without it, each start of a program removes the types from its modules again.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'),
    ...process.env,
    PATH: `${bin}:${process.env.PATH ?? ''}`,
  },
});
// The terminal sends Ctrl-C to both processes. The program cleans up and exits, and this process exits with
// it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));

function installIfNeeded() {
  const lock = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.airlock-lock');
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const installed = join(root, 'node_modules', '.package-lock.json');
  // No installation if somebody ran `npm ci` or `npm install` after the last change of the lock file.
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    process.stderr.write('Installing the pinned dependencies (1.5 GB on disk, about a minute) …\n');
    const npm = process.env.npm_execpath;
    const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const [command, argv] = npm === undefined ? ['npm', install] : [process.execPath, [npm, ...install]];
    const result = spawnSync(command, argv, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    if (result.status !== 0)
      fail('npm ci failed; see its message above. It needs the package registry and 1.5 GB of disk space.');
  }
  writeFileSync(stamp, wanted);
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
