/**
 * `npm run capture`: draws the demo's terminal output as `docs/demo.svg`, or with `-- --slack` as
 * `docs/demo-slack.svg`, shortened. Refuses a picture that shows a path or the name of this machine.
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cli/command/run-command.ts';
import { projectRoot } from '../host/project-root.ts';
import { terminalSvg, withoutColour } from './terminal-svg.ts';

const pictures = {
  github: { argv: [], file: 'demo.svg', withPatch: true },
  slack: { argv: ['--slack'], file: 'demo-slack.svg', withPatch: false },
} as const;
const columns = 108;
const demoMs = 180_000;
/** A gap of at least this many omitted lines is marked. */
const markedGap = 8;
const ports: readonly string[] = ['8787', '8788', '8789', '8790'];

/** Output of commands is omitted, except lines that match one of these, without colours. */
const keptOutput = [
  /not one of the hosts this task may reach$/,
  /pushing is refused/,
  /ℹ (?:pass|fail) /u,
  /(?:actual|expected): \d+/,
];
const omittedLines = [
  /^Building the Worker/,
  /^Installing/,
  // The plan is shown once; later lines repeat it with other marks.
  /s {4}[☑◐] (?!Read split)/u,
  /☑ Read split/u,
  /^ {2}(?:diff --git|index|---|\+\+\+) /,
  /^ {3}1 file changed|^ {3}src\/split\.js \||^ {2}$/,
];
/** A line of a command's output: indented after the seconds, without the mark of its exit code. */
const commandOutput = /^ *\d+\.\ds {6,}(?![ ✓✗])/u;

async function runDemo(argv: readonly string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [join(projectRoot, 'cli/demo.ts'), ...argv], {
    cwd: projectRoot,
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: demoMs,
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}`);
  return Buffer.concat(chunks).toString().trimEnd().split('\n');
}

function isShown(text: string): boolean {
  if (omittedLines.some((pattern) => pattern.test(text))) return false;
  return !commandOutput.test(text) || keptOutput.some((pattern) => pattern.test(text));
}

/** Removes the patch and keeps the diff's summary. The patch ends at the first empty line. */
function withoutPatch(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => /^ {2}diff --git/.test(withoutColour(line)));
  const length = lines.slice(start).indexOf('');
  return start === -1 || length === -1 ? lines : lines.toSpliced(start, length);
}

function shortened(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let gap = 0;
  for (const line of lines) {
    if (!isShown(withoutColour(line))) {
      gap += 1;
      continue;
    }
    if (gap >= markedGap && kept.length > 0) kept.push('\u001B[2m            ⋮\u001B[22m');
    gap = 0;
    kept.push(line);
  }
  return kept;
}

function withFixedPorts(lines: readonly string[]): readonly string[] {
  const known = new Map<string, string>();
  return lines.map((line) =>
    line.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => {
      const fixed = known.get(port) ?? ports[known.size] ?? '8791';
      known.set(port, fixed);
      return `127.0.0.1:${fixed}`;
    }),
  );
}

await runCommand({
  name: 'npm run capture',
  about:
    'Runs the demo and draws its output as docs/demo.svg. Refuses to draw a path or name of this machine.',
  options: { slack: { type: 'boolean', about: 'run the Slack demo, and draw docs/demo-slack.svg' } },
  run: async ({ values, say }) => {
    await capture(values.slack === true ? 'slack' : 'github', say);
    return 0;
  },
});

async function capture(story: keyof typeof pictures, say: (line: string) => void): Promise<void> {
  const { argv, file: name, withPatch } = pictures[story];
  const printed = await runDemo(argv);
  const lines = withFixedPorts(shortened(withPatch ? printed : withoutPatch(printed)));
  const machine = [projectRoot, homedir(), tmpdir(), hostname()].filter((name) => name.length > 2);
  const found = lines.find((line) => machine.some((name) => line.includes(name)));
  if (found !== undefined)
    throw new Error(`this line contains a path or the name of this machine: ${withoutColour(found)}`);
  const command = ['npm run demo', ...argv].join(' -- ');
  const picture = terminalSvg([`\u001B[32m$\u001B[39m ${command}`, '', ...lines], {
    title: `${command} (shortened)`,
    columns,
  });
  const file = join(projectRoot, 'docs', name);
  await writeFile(file, picture);
  say(`${file}: ${lines.length} lines, ${picture.length} bytes`);
}
