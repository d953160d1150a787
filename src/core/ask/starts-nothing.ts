/**
 * Decides from the words around a mention whether they ask the bot for something. `reply-asks.ts` decides for
 * a reply without a mention. When the words talk about the bot, nothing starts: a sandbox that nobody asked
 * for costs more than one more message.
 *
 * | verdict  | the words                                                               | what follows  |
 * | -------- | ----------------------------------------------------------------------- | ------------- |
 * | `silent` | thank, acknowledge, list handles, quote the bot, speak to somebody else | nothing       |
 * | `copied` | copy the bot in, or talk about it                                       | one sentence  |
 * | `empty`  | are only the mention or a greeting                                      | one sentence  |
 * | null     | ask for something                                                       | a task        |
 */

import { asks, here, maxCourtesyChars, onlyCourtesy } from './only-courtesy.ts';
import { anyOf, wholeWords } from './word-patterns.ts';

export type NotAsked = 'silent' | 'copied' | 'empty';

/** How people copy somebody in or name them as the author. The rest before the mention are names. */
const copying = new RegExp(
  '(?:^|[\\s(,–—-])(?:/?b?cc|fyi|via|by|from|of|per|than|unlike)[ \\t]*:?[ \\t]*' +
    '(?:@[\\p{L}\\p{N}_./-]{1,80}[\\s,&]*(?:and\\s+)?){0,20}$',
  'iu',
);
export const verb = anyOf(`
  add, adapt, adjust, apply, bump, change, check, clean, convert, create, debug, delete, document, drop,
  explain, extend, find, fix, handle, implement, improve, investigate, look, make, merge, migrate, move,
  port, rebase, refactor, release, remove, rename, replace, resolve, revert, review, rewrite, run,
  simplify, split, support, take, test, tidy, translate, try, update, upgrade, use, verify, write`);
/** A verb at the beginning of a sentence or a list item, or after a word that leads to one. */
const imperative = new RegExp(
  `(?:^|[.!;\\n:–—。！]|\\b(?:to|and|then|just|now|also)\\b)[\\s*>_-]*${verb}\\b`,
  'i',
);

const handle = `@[\\p{L}\\p{N}_./-]{1,80}(?:\\[bot\\])?`;
const greeting = anyOf(`
  hi, hello, hey, hiya, yo, howdy, ping, good (?:morning|evening|afternoon), are you (?:there|alive|up),
  test, testing, there, hallo, hola, bonjour, こんにちは, 你好, 안녕하세요`);
const onlyGreeting = new RegExp(`^(?:${greeting}[\\s,.!?]*){1,3}$`, 'iu');

/** A line of a list of changes: credit at its end, with or without a link to the change. */
const credited = new RegExp(
  `^\\s*(?:[*•-]|\\d+[.)])\\s.*(?:\\b(?:by|from|via|to)|[(–—-])[ \\t]*(?:${handle}[\\s,&]*(?:and\\s+)?){0,20}${here}` +
    `(?:[\\s,&]*(?:and\\s+)?${handle}){0,20}[\\s)\\].]*(?:in\\s+)?(?:\\(?(?:#\\d+|https?://\\S+)\\)?)?[\\s.)]*$`,
  'iu',
);
const firstContribution = new RegExp(`${here}\\s+made (?:their|its) first contribution\\b`, 'iu');
/**
 * A line that only lists people, or has them in a named field or in a row of a table. A handle ends before a
 * slash that follows it: with two ways to read each, a list would take exponential time.
 */
const people = new RegExp(
  `^[\\s>*•#|-]*(?:\\*{0,2}(?:[a-z]+[- ]){0,2}(?:author|owner|assignee|reviewer|contributor|maintainer|participant|attendee|credit|` +
    `team|by|thanks to|on-?call|people|members)s?\\*{0,2}[ \\t]*:?\\*{0,2}[ \\t]*)?(?:(?:${handle}(?<!/)|${here})(?:[ \\t]*\\([^()]{0,40}\\))?` +
    `[\\s,&|/+]*(?:and\\s+)?)+[.\\s]*$`,
  'iu',
);
/** "Thanks to @bob and @airlock for …", as at the end of release notes. */
const thanksTo = new RegExp(
  '^\\W*(?:(?:many|special|big) )?(?:thanks|thank you|kudos|props|credits?|shout-?out|hat tip|h/t)\\b(?: goe?s?)? to\\s+' +
    `(?:${handle}[\\s,&]*(?:and\\s+)?){0,20}${here}`,
  'iu',
);
const tableCell = new RegExp(
  `\\|[ \\t]*(?:${handle}[\\s,&]+){0,20}${here}(?:[\\s,&]+${handle}){0,20}[ \\t]*\\|`,
  'iu',
);
const reported = new RegExp(
  `${here}[ \\t]*(?:wrote|said|commented|replied|writes|says)\\b[^\\n]{0,40}:?`,
  'iu',
);

/** Words that make the bot what somebody talks about. The second list needs more words after the mention. */
const aboutBefore = endsWith(`
  ask(?:ed|ing|s)?, told, tell, let, ping(?:ed|ing)?, mention(?:ed|ing)?, trigger(?:ed|ing)?, trust,
  against, vs, like, with, without, about, the, our`);
const clauseBefore = endsWith(`
  had, have, got, did, does, do, is, was, has, will, would, can, could, should, what, why, how, when,
  if, whether, because, since, until, after, before, where, which, thinks?, thought, know, believe,
  wonder, hope, see, saw, use[ds]?, using`);
function endsWith(list: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])${anyOf(list)}[ \\t]+$`, 'iu');
}
/** What turns a statement about the bot into a request to it. */
const pleads = wholeWords('please, pls, plz, can you, could you, would you, will you');
const noSubject = '(?!\\s+(?:you|we|i|it|this|that|they|there|the|a|an|my|our|these|those)\\b)';
/** The bot as the subject of a statement. */
const aboutAfter = new RegExp(
  '^(?:[ \\t]+bot)?[ \\t]+(?:(?:already|just|also|still|really|has|had)[ \\t]+){0,4}' +
    `(?:(?:did|does|was|is|has|will|can|could|should|would|might|may)(?:n['’]t)?${noSubject}|opened|made|created|pushed|` +
    'suggested|found|thinks|keeps|seems|broke|failed|ran|did the|fixed (?:it|this|that))\\b',
  'iu',
);
const sentenceStart = /(?:^|[.!?:;。！？\n–—]|(?:^|\n)[ \t]*(?:[*•-]|\d+[.)]))[ \t]*$/u;

/** Handles at the very beginning, and a word of greeting. */
export const namesFirst = new RegExp(
  `^\\s*(?:(?:hey|hi|hello|ok|okay|thanks|yo|dear)[\\s,]+)?${handle}(?:[\\s,&:]+(?:and\\s+)?${handle}){0,20}`,
  'iu',
);
const instructs = new RegExp(
  `^[\\s,:;–—-]*(?:please|pls|plz|kindly|can you|could you|would you|will you|${verb})\\b`,
  'i',
);

/** Characters on each side of the mention that count: of its line, and of the whole text. */
const near = { line: 400, text: maxCourtesyChars };

/** `before` and `after` are what is written around the mention, without code and quotations. */
export function inPassing(before: string, after: string): NotAsked | null {
  const isShort = before.length + after.length <= near.text;
  if (isShort && onlyCourtesy(before + here + after)) return 'silent';
  if (isShort && isEmpty(before + after)) return 'empty';

  const [closeBefore, closeAfter] = [before.slice(-near.text), after.slice(0, near.text)];
  const lineBefore = closeBefore.slice(closeBefore.lastIndexOf('\n') + 1).slice(-near.line);
  const lineAfter = (/^[^\n]*/.exec(closeAfter)?.[0] ?? '').slice(0, near.line);
  const rest = `${closeBefore}\n${closeAfter.replace(/^[\s,:;)]+/, '')}`;
  if (isListed(lineBefore + here + lineAfter, rest)) return 'silent';

  if (sentenceStart.test(closeBefore.slice(-near.line))) {
    const isStatement = !lineAfter.includes('?') && !pleads.test(closeAfter) && !imperative.test(closeAfter);
    if (isStatement && aboutAfter.test(lineAfter)) return 'copied';
  } else {
    const isAbout =
      aboutBefore.test(lineBefore) || (/^[ \t]+\p{L}/u.test(closeAfter) && clauseBefore.test(lineBefore));
    const named = namesFirst.exec(before.slice(0, near.text))?.[0];
    const isJoint = named !== undefined && /^[\s,&:]*(?:and\s+)?$/i.test(before.slice(named.length));
    if (named !== undefined && !isJoint && (isAbout || !instructs.test(lineAfter))) return 'silent';
    if (isAbout) return 'copied';
  }
  return isShort && copying.test(before) && !asks(rest) && !imperative.test(rest) ? 'copied' : null;
}

/** Nothing but the mention, punctuation or a greeting. */
export function isEmpty(words: string): boolean {
  const bare = words.replace(/[^\p{L}\p{N}\p{M}\uFFFC']+/gu, ' ').trim();
  return bare === '' || onlyGreeting.test(bare);
}

/** A list of changes, of people or of what people said names the bot, and addresses nobody. */
function isListed(line: string, rest: string): boolean {
  if ([credited, firstContribution, tableCell, reported].some((pattern) => pattern.test(line))) return true;
  if (thanksTo.test(line) && !asks(line)) return true;
  if (!people.test(line)) return false;
  const isField = line.includes(':') || (/^\s*[*•-]\s/.test(line) && /@[\p{L}\p{N}]/u.test(rest));
  return isField || (/@[\p{L}\p{N}]/u.test(line) && !asks(rest) && !imperative.test(rest));
}
