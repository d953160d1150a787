/** Finds names that are probably misspelt settings: they would be ignored without a word. */
import { nearest } from '../src/lib/nearest.ts';
import { settingNames } from '../src/settings.ts';

/** Settings of one machine, in addition to those of the Worker. */
const hostNames = [
  'SLACK_APP_TOKEN',
  'PORT',
  'AIRLOCK_HOST',
  'AIRLOCK_CONFIG',
  'AIRLOCK_STATE',
  'AIRLOCK_DRAIN_SECONDS',
];
const ours = [...settingNames, ...hostNames];

/** A line for each unknown name that resembles an unset setting. `more`: names that a configuration uses. */
export function misspeltSettings(
  devVars: NodeJS.Dict<string>,
  environment: NodeJS.Dict<string>,
  more: readonly string[] = [],
): readonly string[] {
  const known = [...ours, ...more];
  const isSet = (name: string): boolean => ((environment[name] ?? devVars[name])?.trim() ?? '') !== '';
  const unset = known.filter((name) => !isSet(name) && name !== 'PORT');
  const strange = (from: NodeJS.Dict<string>) => Object.keys(from).filter((name) => !known.includes(name));
  const inFile = strange(devVars).map(
    (name) => ['.dev.vars: ', name, nearest(name, unset) ?? withWordsOf(name, unset)] as const,
  );
  const inEnvironment = strange(environment)
    .filter((name) => name.length >= 8)
    .map((name) => ['', name, nearest(name, unset, 2)] as const);
  return [...inFile, ...inEnvironment].flatMap(([where, name, meant]) =>
    meant === null ? [] : [`${where}${name} is not a setting; did you mean ${meant}?`],
  );
}

/** OPENAI_KEY for OPENAI_API_KEY: at least two words of the setting, and no other. */
function withWordsOf(name: string, settings: readonly string[]): string | null {
  const words = name.toUpperCase().split('_');
  if (words.length < 2) return null;
  return settings.find((setting) => words.every((word) => setting.split('_').includes(word))) ?? null;
}
