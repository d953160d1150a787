/**
 * Tells a mention in passing from a request, by the words around it.
 *
 * - `thanks`: the words only thank or praise. Nothing is started, and nothing is answered.
 * - `copied`: the bot is copied in or credited (`cc @airlock`, `suggested by @airlock`), and no other words
 *   request anything. One sentence is the answer.
 * - Everything else is a request, also when it is in doubt: a needless run costs less than a lost one.
 */

import { anyOf, wholeWords } from './word-patterns.ts';

/** Marks the mention in the words. */
const here = '\uFFFC@';

const thanking = anyOf(`
  thanks, thank (?:you|u), thankyou, thx, thnx, tnx, ty, tysm, cheers, kudos, props, credits?, shout-?out,
  hat tip, h/t, danke(?: schön)?, merci, gracias, obrigad[oa], grazie, bedankt, tack, спасибо,
  ありがとう(?:ございます|ございました)?, 谢谢, 謝謝, 多谢, 감사합니다, 고마워요?`);
const good = anyOf(`
  quick, fast, great, awesome, perfect, amazing, nice, helpful, good, wonderful, brilliant, the best, it`);
const works = `(?:looks?|works?|working)(?: ${anyOf('good, great, fine, well, perfectly, nicely, to me, for me, now')})*`;
const praise = anyOf(`
  well done, lgtm, perfect, cool, wow, wonderful, fantastic, beautiful, love (?:it|this), neat, yay, hooray,
  all good, much appreciated, appreciate it, ${works},
  (?:good|great|nice|excellent|awesome|amazing|brilliant) ?(?:job|work|one|bot|stuff|fix|catch|find)?,
  (?:(?:it|this|that|you|all)(?:'?s| is| was|'?re| are)? |which (?:is|was) )(?:(?:so|very|really|just) )*(?:${good}|${works})`);
const filler = anyOf(`
  \\s, @[\\p{L}\\p{N}_/-]*, so, very, a, an, lot, lots, ton, million, bunch, much, again, you, u, all, both,
  everyone, everybody, team, folks, guys, bot, many, big, huge, to, and, oh, ok, hey, hi, wow, great, awesome,
  really, always, as, the, my, friend`);
const onlyThanks = new RegExp(
  `^${filler}*(?:${thanking}(?: (?:goes |go )?to @.*|${filler}*(?:for .*)?)|${praise}${filler}*)$`,
  'iu',
);
/** What turns thanks into a request. */
const asksMore = wholeWords(
  `please, pls, plz, can you, could you, would you, will you, in advance, but, however, still, instead, though,
  except, next, broken, breaks, fails?, failing, wrong, not, never, \\w+n't`,
);

/** How people copy somebody in or name them as the author. The rest before the mention are names. */
const copying = new RegExp(
  '(?:^|[\\s(,–—-])(?:/?b?cc|fyi|via|by|from|of|per|than|unlike)[ \\t]*:?[ \\t]*' +
    '(?:@[\\p{L}\\p{N}_./-]{1,80}[\\s,&]*(?:and\\s+)?){0,20}$',
  'iu',
);
const verb = anyOf(`
  add, adapt, adjust, apply, bump, change, check, clean, convert, create, debug, delete, document, drop,
  explain, extend, find, fix, handle, implement, improve, investigate, look, make, merge, migrate, move, port,
  rebase, refactor, release, remove, rename, replace, resolve, revert, review, rewrite, run, simplify, split,
  support, take, test, tidy, translate, try, update, upgrade, use, verify, write`);
/** A verb at the beginning of a sentence or a list item, or after a word that leads to one. */
const imperative = new RegExp(
  `(?:^|[.!;\\n:–—。！]|\\b(?:to|and|then|just|now|also)\\b)[\\s*>_-]*${verb}\\b`,
  'i',
);

const asks = (words: string): boolean => words.includes('?') || asksMore.test(words);

/** Longer words are a request. */
const maxChars = 2_000;

/** `before` and `after` are what is written around the mention, without code and quotations. */
export function inPassing(before: string, after: string): 'thanks' | 'copied' | null {
  if (before.length + after.length > maxChars) return null;
  const words = before + here + after;
  if (onlyThank(words)) return 'thanks';
  const rest = `${before}\n${after.replace(/^[\s,:;)]+/, '')}`;
  return copying.test(before) && !asks(rest) && !imperative.test(rest) ? 'copied' : null;
}

/** Whether the words only thank or praise, or are only emoji. False if there are none. */
export function onlyThank(words: string): boolean {
  if (words.length > maxChars) return false;
  const text = words
    .replaceAll(here, '@')
    .replace(/’/g, "'")
    .replace(/:[a-z0-9_+-]{1,40}:(?=$|[\s:.,!])/gi, ' \uFFFD ')
    .replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|[:;]-?[)D]|<3/gu, ' \uFFFD ');
  const clauses = text
    .split(/[.!;,\n。！，、…()–—]+/u)
    .map((clause) => clause.replace(/[^\p{L}\p{N}@'/?\uFFFC-]+/gu, ' ').trim())
    .filter((clause) => clause !== '' && clause !== '@');
  if (clauses.length === 0) return text.includes('\uFFFD');
  return clauses.every((clause) => onlyThanks.test(clause) && !asks(clause));
}
