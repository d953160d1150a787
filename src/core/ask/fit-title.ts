/** Puts a title right where the repository's convention leaves one answer; else leaves it. Pure. */
import {
  prefixes,
  standardTypes,
  withoutPrefix,
  type TitleConvention,
  type TitleForm,
} from './title-convention.ts';

/** What commitlint allows by default. */
const maxCharacters = 100;

export interface ChangeFacts {
  /** Of the changed files. */
  readonly paths: readonly string[];
  /** What the person asked for. */
  readonly words: string;
}

/** Verbs that say what kind of change it is, and verbs that do not: both begin a title. */
const kindOfVerb = new Map<string, string>(
  Object.entries({
    fix: 'fix correct repair resolve prevent avoid restore',
    feat: 'add introduce implement support allow enable',
    docs: 'document',
    test: 'test',
    refactor: 'refactor simplify',
    perf: 'optimize optimise',
    '': 'accept align apply bump change check clarify clean convert create delete drop ensure escape expose extend extract handle hide ignore improve inline keep limit log make merge migrate move normalize parse pass pin print reject release remove rename replace report require retry return revert reuse rework run send set show skip sort split stop switch tighten trim update upgrade use validate write',
  }).flatMap(([kind, verbs]) => verbs.split(' ').map((verb): [string, string] => [verb, kind])),
);

const emojis: Readonly<Record<string, readonly [string, string]>> = {
  fix: ['🐛', ':bug:'],
  feat: ['✨', ':sparkles:'],
  docs: ['📝', ':memo:'],
  test: ['✅', ':white_check_mark:'],
  refactor: ['♻️', ':recycle:'],
  perf: ['⚡️', ':zap:'],
};

/** Other spellings of a type. The repository's own counts. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  fix: ['bugfix', 'hotfix'],
  feat: ['feature'],
  docs: ['doc'],
  test: ['tests'],
};

export function fitTitle(title: string, convention: TitleConvention | null, facts: ChangeFacts): string {
  if (convention === null) return title;
  const fitted = fit(title, convention, facts);
  return fitted === null || fitted.length > maxCharacters ? title : fitted;
}

function fit(title: string, convention: TitleConvention, facts: ChangeFacts): string | null {
  const { form } = convention;
  if (form.kind === 'plain') return styled(title, convention);
  const prefix = prefixes[form.kind].exec(title)?.[0];
  if (prefix !== undefined) {
    if (form.kind !== 'conventional')
      return `${prefix}${styled(withoutPrefix(title, form.kind), convention)}`;
    // An area such as "parser:" is not a type.
    const [type = ''] = /^[A-Za-z]+/.exec(prefix) ?? [];
    if (!form.types.includes(type) && !standardTypes.has(type.toLowerCase())) return null;
    const spelled = form.types.find((one) => one.toLowerCase() === type.toLowerCase()) ?? type;
    return `${spelled}${prefix.slice(type.length)}${styled(withoutPrefix(title, form.kind), convention)}`;
  }
  const missing = missingPrefix(title, form, facts);
  if (missing === null) return null;
  const rest = form.kind === 'conventional' ? withoutType(title, missing) : title;
  return `${missing}${styled(rest, convention)}`;
}

/** null: it cannot be known. */
function missingPrefix(
  title: string,
  form: Exclude<TitleForm, { kind: 'plain' }>,
  facts: ChangeFacts,
): string | null {
  switch (form.kind) {
    case 'conventional': {
      const kind = kindOf(title, facts);
      if (kind === null) return null;
      const type = [kind, ...(spellings[kind] ?? [])].find((one) =>
        form.types.some((used) => used.toLowerCase() === one),
      );
      const spelled = form.types.find((used) => used.toLowerCase() === type) ?? kind;
      const scope = form.scope === 'always' ? areaOf(form.scopes, facts) : null;
      return `${spelled}${scope === null ? '' : `(${scope})`}: `;
    }
    case 'gitmoji': {
      const kind = kindOf(title, facts);
      const [emoji, code] = (kind === null ? undefined : emojis[kind]) ?? [];
      const sign = form.asCode ? code : emoji;
      return sign === undefined ? null : `${sign} `;
    }
    case 'ticket': {
      const named = new Set(facts.words.match(/\b[A-Z][A-Z0-9]{1,9}-\d{1,7}\b/g));
      const known = [...named].filter((ticket) => form.projects.includes(ticket.replace(/-\d+$/, '')));
      const [ticket] = known;
      if (ticket === undefined || known.length > 1 || title.includes(ticket)) return null;
      return `${form.open}${ticket}${form.close}`;
    }
    case 'bracket':
    case 'area': {
      const area = areaOf(form.areas, facts);
      if (area === null || prefixes.area.test(title) || prefixes.bracket.test(title)) return null;
      return form.kind === 'area' ? `${area}: ` : `[${area}] `;
    }
  }
}

const isDocument = (path: string): boolean => /^docs?\/|\.(?:md|mdx|rst|adoc)$/i.test(path);
const isTest = (path: string): boolean =>
  /(?:^|\/)(?:__tests__|tests?|specs?)\/|[._-](?:test|spec)\.\w+$|(?:^|\/)test_[^/]*$/i.test(path);

/** The kind of change: by its files where all are of one kind, else by the verb. null: unclear. */
function kindOf(title: string, { paths }: ChangeFacts): string | null {
  if (paths.length > 0 && paths.every(isDocument)) return 'docs';
  if (paths.length > 0 && paths.every(isTest)) return 'test';
  const kind = kindOfVerb.get(firstWord(title).toLowerCase()) ?? '';
  if (kind === '') return null;
  // "Add tests for …" together with other files is neither clearly a feature nor a test.
  return kind === 'feat' && /\b(?:tests?|specs?|docs?|documentation|comments?|readme)\b/i.test(title)
    ? null
    : kind;
}

const firstWord = (title: string): string => /^[A-Za-z]+(?= )/.exec(title)?.[0] ?? '';

/** "fix: rounding" instead of "fix: fix the rounding". */
function withoutType(title: string, prefix: string): string {
  const verb = firstWord(title);
  return prefix.toLowerCase().startsWith(verb.toLowerCase()) && verb !== ''
    ? title.replace(/^\w+ (?:(?:the|a|an) )?/i, '')
    : title;
}

/** The one area in use that all changed files are in; null if there is none, or more than one. */
function areaOf(areas: readonly string[], { paths }: ChangeFacts): string | null {
  const inside = areas.filter(
    (area) =>
      paths.length > 0 && paths.every((path) => `/${path}`.toLowerCase().includes(`/${area.toLowerCase()}/`)),
  );
  // `net/http` is more exact than `net`.
  const [longest] = inside.toSorted((one, other) => other.length - one.length);
  const others = inside.filter((area) => !(longest ?? '').toLowerCase().includes(area.toLowerCase()));
  return longest === undefined || others.length > 0 ? null : longest;
}

/** Changes the case of common verbs only: another first word can be a name. */
function styled(text: string, { initial, fullStop }: TitleConvention): string {
  const verb = firstWord(text);
  const known = kindOfVerb.has(verb.toLowerCase()) && /^[A-Z]?[a-z]+$/.test(verb);
  const first = text.charAt(0);
  const start =
    !known || initial === null ? first : initial === 'upper' ? first.toUpperCase() : first.toLowerCase();
  const rest = text.slice(1);
  return start + (fullStop === false ? rest.replace(/(?<=[^.])\.$/, '') : rest);
}
