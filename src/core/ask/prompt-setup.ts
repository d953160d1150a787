/** Writes the prompt's section about setup. All words are ours or the configuration's. */
import type { SetupReport } from '../setup.ts';

export function describeSetup(setup: SetupReport | null): string {
  const title = 'What was prepared:';
  if (setup === null)
    return `${title} nothing. No setup is configured, so that dependencies of the repository may be missing.`;
  const command = `\`${setup.command.replace(/\s+/g, ' ').trim()}\``;
  if (setup.status !== 'ok') {
    const how =
      setup.status === 'timed-out' ? 'did not end in its time' : `ended with exit status ${setup.exitCode}`;
    return `${title} ${command} was run before you started and ${how}. Dependencies may be missing or incomplete; say so where it kept you from running tests.`;
  }
  const left =
    setup.pathsLeftBySetup.total === 0
      ? ''
      : ' New files that it left, other than ignored ones, are not part of your change.';
  const services = setup.services ? ' What it left running, such as a database, still runs.' : '';
  return `${title} ${command} was run before you started and succeeded. What it installed is there; its hosts are closed now.${services}${left}`;
}
