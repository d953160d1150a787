/** `npm run generate`: writes all generated files. */
import { runCommand } from '../cli/command/run-command.ts';

await runCommand({
  name: 'npm run generate',
  about:
    'Writes airlock.schema.json, the environments of wrangler.jsonc, and the types of its bindings\n' +
    '(src/worker-configuration.d.ts).',
  // The two programs read them from the command line: npm test starts them one by one.
  options: {
    check: { type: 'boolean', about: 'write nothing; fail if a file is out of date' },
    sandbox: {
      type: 'string',
      value: 'KIND',
      about: 'change what runs the sandboxes: native (the platform’s own containers) or sdk',
    },
    env: { type: 'string', value: 'NAME', about: 'the environment for --sandbox (default: the top level)' },
  },
  more: 'Exit status: 0 done, 1 a file is out of date, 2 wrong usage.',
  run: async () => {
    await import('./generate-config-schema.ts');
    await import('./generate-environments.ts');
    return Number(process.exitCode ?? 0);
  },
});
