import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../host/project-root.ts';
import { helpOf, jsonOption, readArguments, type CommandLine } from './read-arguments.ts';

const options = {
  slack: { type: 'boolean', about: 'in Slack' },
  'keep-open': { type: 'boolean', about: 'keep it\nrunning' },
  state: { type: 'string', value: 'DIR', about: 'folder' },
  group: { type: 'string', multiple: true, value: 'NAME', about: 'repeatable' },
  json: jsonOption('as JSON'),
} as const;
const command: CommandLine<typeof options> = { name: 'npm run demo', about: 'Plays.', options };
const withArgument = { ...command, takes: '[NAME]' };
const wrong = (problem: RegExp) => ({ kind: 'wrong', problem: expect.stringMatching(problem) });

describe('a command line', () => {
  it.each<[readonly string[], object]>([
    [[], { kind: 'run', positionals: [] }],
    [['--slack', '--state', 'x'], { kind: 'run', values: { slack: true, state: 'x' } }],
    [['--state=-x'], { kind: 'run', values: { state: '-x' } }],
    [['--group', 'a', '--group', 'b'], { kind: 'run', values: { group: ['a', 'b'] } }],
    [['--help'], { kind: 'help' }],
    [['-h'], { kind: 'help' }],
    [['--slack', '--wrong', '--help'], { kind: 'help' }],
    [['--slak'], wrong(/^Unknown option --slak\. Did you mean --slack\?\nTry npm run demo -- --help$/)],
    [['--keepopen'], wrong(/Did you mean --keep-open\?/)],
    [['--hlep'], wrong(/Did you mean --help\?/)],
    [['--zzzzzzzzz'], wrong(/^Unknown option --zzzzzzzzz\.\nTry/)],
    [['-x'], wrong(/^Unknown option -x\./)],
    [['--no-slack'], wrong(/^Unknown option --no-slack\./)],
    [['--constructor'], wrong(/^Unknown option --constructor\./)],
    [['--state'], wrong(/^--state needs a value: --state DIR\n/)],
    [['--state', '--slack'], wrong(/^--state needs a value: --state DIR\n/)],
    [['--state='], wrong(/^--state needs a value/)],
    [['--slack=yes'], wrong(/^--slack takes no value\./)],
    [['slack'], wrong(/^npm run demo takes no argument "slack"\. Did you mean --slack\?/)],
    [['--', '--slack'], wrong(/^npm run demo takes no argument "--slack"\./)],
  ])('%j is read as %j', (argv, expected) => {
    expect(readArguments(command, argv, {})).toMatchObject(expected);
  });

  it('takes arguments, also after two dashes', () => {
    expect(readArguments(withArgument, ['a', '--', '--slack'], {})).toMatchObject({
      positionals: ['a', '--slack'],
      values: {},
    });
  });

  it('is handed on as it is to another program, apart from --help', () => {
    const wrangler = { ...command, options: {}, handsOn: true };
    const argv = ['--port', '1', '--', '--help'];
    expect(readArguments(wrangler, argv, {})).toMatchObject({ kind: 'run', positionals: argv });
    expect(readArguments(wrangler, ['--port', '1', '--help'], {})).toEqual({ kind: 'help' });
  });

  it.each<[what: string, NodeJS.Dict<string>, readonly string[], string]>([
    ['--slack', { npm_config_slack: 'true' }, [], 'npm run demo -- --slack'],
    ['--keep-open', { npm_config_keep_open: 'true' }, [], 'npm run demo -- --keep-open'],
    ['--state=x', { npm_config_state: 'x' }, [], 'npm run demo -- --state x'],
    ['--state x', { npm_config_state: 'true' }, ['x'], 'npm run demo -- x --state'],
  ])('names the two dashes that are missing when npm takes %s', (_, environment, argv, right) => {
    expect(readArguments(command, argv, environment)).toEqual(
      wrong(new RegExp(`two dashes are missing\\. Write ${right}`)),
    );
  });

  it.each([{ npm_config_registry: 'x' }, { npm_config_json: 'false' }, { npm_config_slack: '' }])(
    'is not confused by what npm sets for itself: %j',
    (environment) => {
      expect(readArguments(command, [], environment)).toMatchObject({ kind: 'run' });
    },
  );
});

it('writes the help from the table of options', () => {
  expect(helpOf({ ...withArgument, more: 'Exit status: 0.' })).toBe(
    `npm run demo -- [NAME] [options]

Plays.

  --slack        in Slack
  --keep-open    keep it
                 running
  --state DIR    folder
  --group NAME   repeatable
  --json         as JSON

npm prints two lines of its own first; -s keeps them out of the JSON:
  npm run -s demo -- --json

Exit status: 0.
`,
  );
});

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')));
const programs = Object.entries(scripts).map(
  ([name, script]) => [name, script.split(' ').at(-1) ?? ''] as const,
);

// `npm test` has names of checks and paths for arguments, and a help of its own.
it.each(programs.filter(([, program]) => program !== 'scripts/check.ts'))(
  'runs npm script %s through the command runner, which alone acts when the program is loaded',
  (name, program) => {
    const text = readFileSync(join(projectRoot, program), 'utf8');
    const call = name === 'start' ? 'npm start' : `npm run ${name}`;
    expect(text).toMatch(new RegExp(`^await runCommand\\(\\{\\n  name: '${call}',$`, 'm'));
    expect(text.match(/^(?:await|try|if|for|process\.|void)\b.*/gm)).toEqual(['await runCommand({']);
  },
);
