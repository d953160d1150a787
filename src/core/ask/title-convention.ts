/**
 * Sees from the last subjects of a branch how its titles are written, and says so in one sentence for the
 * prompt. Pure. `fit-title.ts` puts a title right.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';

/** A commit of the base branch. Its words are untrusted. */
export interface PastCommit {
  readonly message: string;
  readonly byBot: boolean;
  readonly isMerge: boolean;
}

export type TitleForm =
  /** `type(scope)!: description`. `scopes`, `areas`: those in use more than once, most frequent first. */
  | {
      readonly kind: 'conventional';
      readonly types: readonly string[];
      readonly scopes: readonly string[];
      readonly scope: 'always' | 'sometimes' | 'never';
    }
  /** `✨ description`, or `:sparkles: description`. */
  | { readonly kind: 'gitmoji'; readonly asCode: boolean }
  /** `ABC-123: description`: what is before and after the ticket. */
  | {
      readonly kind: 'ticket';
      readonly projects: readonly string[];
      readonly open: string;
      readonly close: string;
    }
  /** `[area] description`. */
  | { readonly kind: 'bracket'; readonly areas: readonly string[] }
  /** `area: description`. */
  | { readonly kind: 'area'; readonly areas: readonly string[] }
  | { readonly kind: 'plain' };

export interface TitleConvention {
  readonly form: TitleForm;
  /** Case of the first letter after the prefix; null: both are in use. */
  readonly initial: 'upper' | 'lower' | null;
  readonly fullStop: boolean | null;
  readonly mood: 'imperative' | 'past' | 'present';
}

/** Fewer say nothing about a convention. */
const fewest = 5;
/** The share of the subjects that a form needs, and that a detail of style needs. */
const formShare = 0.6;
const styleShare = 0.8;
const maxNames = 10;

/** The types of Angular's convention and of commitlint, and other spellings that repositories use. */
export const standardTypes = new Set(
  'feat feature fix bugfix hotfix docs doc style refactor perf test tests build ci chore revert deps security release'.split(
    ' ',
  ),
);

/** What each form looks like at the start of a title. */
export const prefixes = {
  conventional: /^(?<type>[A-Za-z]{2,12})(?:\((?<scope>[^()]{1,40})\))?!?: +(?=\S)/,
  gitmoji: /^(?:(?<emoji>\p{Extended_Pictographic}\uFE0F?)|:[a-z0-9_+-]{2,30}:) *(?=\S)/u,
  ticket: /^(?<open>\[?)(?<project>[A-Z][A-Z0-9]{1,9})-\d{1,7}(?<close>\]?(?:: | - | ))(?=\S)/,
  bracket: /^\[(?<area>[^[\]]{1,30})\] *(?=\S)/,
  area: /^(?<area>[\w./*+-]{1,40}(?:, ?[\w./*+-]{1,40}){0,3}): +(?=\S)/,
} as const;

/** The order counts: a ticket in brackets is also a bracket, and a type is also an area. */
const forms = ['gitmoji', 'ticket', 'conventional', 'bracket', 'area'] as const;

const isConventional = (subject: string): boolean =>
  standardTypes.has(prefixes.conventional.exec(subject)?.groups?.['type']?.toLowerCase() ?? '');

const hasForm = (subject: string, kind: (typeof forms)[number]): boolean =>
  kind === 'conventional' ? isConventional(subject) : prefixes[kind].test(subject);

/** One subject of each commit of a person; of a merged pull request its title. */
export function subjectsOf(commits: readonly PastCommit[]): readonly string[] {
  return commits.flatMap(({ message, byBot, isMerge }) => {
    const [subject = '', ...body] = stripHiddenCharacters(message.slice(0, 2000)).split('\n');
    const merged = isMerge || subject.startsWith('Merge ');
    const ofPull = /^Merge pull request #\d+ from /.test(subject) ? body.find((line) => line !== '') : '';
    const title = (merged ? (ofPull ?? '') : subject)
      .slice(0, 200)
      .replace(/ \([#!]\d+\)$/, '')
      .trim();
    const says = !/^(?:Revert|Reapply) "|^(?:fixup|squash|amend)! |^initial commit$|^v?\d+\.\d+/i.test(title);
    return byBot || title === '' || !says ? [] : [title];
  });
}

/** null: there are too few subjects to see one. */
export function conventionOf(subjects: readonly string[]): TitleConvention | null {
  if (subjects.length < fewest) return null;
  const kind = forms.find(
    (one) => subjects.filter((subject) => hasForm(subject, one)).length >= subjects.length * formShare,
  );
  const own = kind === undefined ? subjects : subjects.filter((subject) => hasForm(subject, kind));
  const rest = own.map((subject) => (kind === undefined ? subject : withoutPrefix(subject, kind)));
  const first = rest.map((text) => /^\p{L}[\p{L}'’-]*/u.exec(text)?.[0] ?? '').filter((word) => word !== '');
  // Of names such as API or iOS nothing can be learned.
  const cased = first.filter((word) => /^\p{Lu}?\p{Ll}*$/u.test(word));
  const mostly = (all: readonly string[], is: (one: string) => boolean): boolean =>
    all.length >= fewest - 1 && all.filter(is).length >= all.length * styleShare;
  const isUpper = (word: string): boolean => /^\p{Lu}/u.test(word);
  const stops = (text: string): boolean => /[^.]\.$/.test(text);
  return {
    form: kind === undefined ? { kind: 'plain' } : formOf(kind, own),
    initial: mostly(cased, isUpper) ? 'upper' : mostly(cased, (word) => !isUpper(word)) ? 'lower' : null,
    fullStop: mostly(rest, stops) ? true : mostly(rest, (text) => !stops(text)) ? false : null,
    mood: moodOf(first),
  };
}

export const withoutPrefix = (title: string, kind: Exclude<TitleForm['kind'], 'plain'>): string =>
  title.replace(prefixes[kind], '');

function formOf(kind: (typeof forms)[number], subjects: readonly string[]): TitleForm {
  const group = (name: string): string[] =>
    subjects.flatMap((subject) => prefixes[kind].exec(subject)?.groups?.[name] ?? []);
  switch (kind) {
    case 'conventional': {
      const scopes = group('scope');
      const share = scopes.length / subjects.length;
      const scope = share >= styleShare ? 'always' : share > 0.1 ? 'sometimes' : 'never';
      return { kind, types: byFrequency(group('type'), 1), scopes: byFrequency(scopes, 2), scope };
    }
    case 'gitmoji':
      return { kind, asCode: group('emoji').length * 2 < subjects.length };
    case 'ticket': {
      const [open = '', close = ': '] = [byFrequency(group('open'), 1)[0], mostFrequent(group('close'))];
      return { kind, projects: byFrequency(group('project'), 1), open, close };
    }
    case 'bracket':
    case 'area':
      return { kind, areas: byFrequency(group('area'), 2) };
  }
}

function counted(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}

const mostFrequent = (names: readonly string[]): string | undefined => counted(names)[0]?.[0];

/** Names become part of the prompt, so nothing that could be a sentence. */
function byFrequency(names: readonly string[], atLeast: number): readonly string[] {
  return counted(names)
    .filter(([name, count]) => count >= atLeast && /^[\w./[-]{0,24}$/.test(name))
    .slice(0, maxNames)
    .map(([name]) => name);
}

const irregularPast = /^(?:made|wrote|built|ran|kept|set up|got|gave|took|began|sent|brought|found)$/;
const endsInS = /^(?:process|pass|address|access|express|compress|suppress|discuss|focus|canvas|docs|tests)$/;

function moodOf(words: readonly string[]): TitleConvention['mood'] {
  const share = (is: (word: string) => boolean): number =>
    words.filter((word) => is(word.toLowerCase())).length / Math.max(1, words.length);
  if (share((word) => /[a-z]{2}ed$/.test(word) || irregularPast.test(word)) >= formShare) return 'past';
  if (share((word) => /[a-z]{2}s$/.test(word) && !endsInS.test(word)) >= formShare) return 'present';
  return 'imperative';
}

const moods: Readonly<Record<TitleConvention['mood'], string>> = {
  imperative: 'in the imperative',
  past: 'in the past tense, such as "Fixed …"',
  present: 'in the third person, such as "Fixes …"',
};

/** Completes "`title`, one line of at most 72 characters …". */
export function titleRule(convention: TitleConvention | null): string {
  if (convention === null) return 'in the imperative';
  const { form, initial, fullStop, mood } = convention;
  const style = [
    ...(initial === null ? [] : [`begins with ${initial === 'upper' ? 'a capital' : 'a small'} letter`]),
    ...(fullStop === null ? [] : [fullStop ? 'ends with a full stop' : 'has no full stop at the end']),
  ].join(' and ');
  const described = style === '' ? '' : `; the description ${style}`;
  return `${moods[mood]}, in the form that the repository's commits have: ${formText(form)}${described}`;
}

function formText(form: TitleForm): string {
  const among = (...lists: readonly (readonly [string, readonly string[]])[]): string => {
    const texts = lists.flatMap(([what, names]) =>
      names.length === 0 ? [] : `${what}: ${names.join(', ')}`,
    );
    return texts.length === 0 ? '' : ` (${texts.join('; ')})`;
  };
  switch (form.kind) {
    case 'conventional': {
      const scope = { always: '(scope)', sometimes: '(optional scope)', never: '' }[form.scope];
      const scopes = form.scope === 'never' ? [] : form.scopes;
      const inUse = among(['types in use', form.types], ['scopes', scopes]);
      return `Conventional Commits, \`type${scope}: description\`${inUse}`;
    }
    case 'gitmoji':
      return `gitmoji, ${form.asCode ? '`:bug: description`' : '`🐛 description`'} with the emoji of the kind of change`;
    case 'ticket':
      return `\`${form.open}${form.projects[0] ?? 'ABC'}-123${form.close}description\` with the ticket that the request names, or without it if it names none`;
    case 'bracket':
      return `\`[area] description\`${among(['areas in use', form.areas])}`;
    case 'area':
      return `\`area: description\`${among(['areas in use', form.areas])}`;
    case 'plain':
      return 'a description without a prefix';
  }
}
