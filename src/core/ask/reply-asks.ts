/**
 * Decides whether a reply without a mention, below a task's message, asks the bot for something. In such a
 * thread people mostly talk to each other, so only words that read like an instruction do. A mention always
 * works instead.
 */
import { parseRepositoryRef } from '../ids.ts';
import { commandIn } from './instruction.ts';
import { maxCourtesyChars, onlyCourtesy } from './only-courtesy.ts';
import { isEmpty, namesFirst, verb } from './starts-nothing.ts';
import { anyOf, wholeWords } from './word-patterns.ts';

/** What can precede an instruction. */
const lead = anyOf(`
  also, and, then, now, just, maybe, ok, okay, yes, yeah, no, great, nice, thanks, thank you, actually,
  hm+, but, so, perhaps, next, first, finally, instead, well, or`);
const moreVerbs = anyOf(`
  allow, ask (?:what|why|how|where|which|when|whether|if), avoid, commit, continue, copy, cover, cut,
  deprecate, describe, disable, do (?:it|this|that|the), enable, ensure, expand, expose, extract,
  follow, format, generate, go ahead, hide, ignore, include, increase, inline, insert, keep, leave,
  limit, link, lint, list, log, lower, mark, mock, name, omit, open, optimize, parse, pass, pin, prefer,
  prevent, print, proceed, push, put, raise, rebase, redo, reduce, regenerate, render, reorder, reset,
  restore, return, reuse, round, save, send, separate, set, shorten, show, skip, sort, squash, store,
  swap, switch, throw, turn, undo, unify, validate, wrap`);
const instructs = new RegExp(
  `(?:^|[.!;\\n:–—。])[\\s*•>_-]*(?:${lead}[\\s,]+){0,3}(?:${verb}|${moreVerbs})\\b` +
    '(?!\\s+(?:v?\\d+\\.\\d|is\\b|was\\b|are\\b|has\\b))',
  'iu',
);
/** What a reply says that wants something changed. */
const wantsMore = wholeWords(`
  please, pls, plz, can you, could you, would you, will you, you should, you (?:forgot|missed), instead,
  rather than, i'd rather, still(?! (?:waiting|think|review|look|need|have)),
  wrong(?! (?:thread|channel|window|chat)), broken, breaks, fails?, failing, missing, must(?! be),
  should(?:n't)?(?! be (?:fine|ok|okay|good|enough)), needs? (?:a|an|to|more)(?! review), don't, do not,
  doesn't, does not, didn't, isn't, aren't, as well, what about, how about, why not, except, bitte,
  por favor, per favore, s'il (?:te|vous) pla[iî]t`);
const tooAtEnd = /(?<!\bme )\btoo\W*$/iu;
const continues =
  /^\s*(?:and|also|plus|then|now|but|no|nope|same for|actually|next|one more thing)[\s,:]+\S/iu;
/** Questions and remarks to other people. */
const toPeople = wholeWords(`
  who, whose, anyone, anybody, someone, somebody, everyone, folks, guys, sh\\w{3} (?:we|i), should we,
  can we, do we, are we, did we, have we, will we, could we, should i, can i`);
/** Words of approval to each other: Airlock merges nothing. */
const approval =
  /^(?:(?:let's|then|so|ok|okay|great|please)[\s,]+)*(?:merge|ship|release|deploy) (?:it|this|that)(?: now)?\W*$/iu;
/** A capital word that is no name, in front of a request. */
const noName = anyOf(`
  Also, And, Then, Now, Just, Maybe, Ok, Okay, OK, Yes, Yeah, No, Great, Nice, Thanks, Actually, Hm,
  But, So, Perhaps, Next, First, Finally, Instead, Well, Or, Hey, Hi, Hello, Please, Codex, Airlock,
  Bot, Could, Can, Would, Cool, Perfect`);
const vocative = new RegExp(
  `^(?!${noName}\\b)\\p{Lu}[\\p{L}'-]{1,20}(?:,\\s+(?:can|could|would|will|do|did|have|are|what|when|should|you|your|is)` +
    '|\\s+(?:please|can you|could you))\\b',
  'u',
);

/** Whether a reply without a mention asks the bot. `words` are without quotations and code. */
export function replyAsks(words: string): boolean {
  if (commandIn(words) !== null) return true;
  if (words.length > maxCourtesyChars) return true;
  const said = words.replace(/’/g, "'").trim();
  if (isEmpty(said) || onlyCourtesy(said) || approval.test(said)) return false;
  const first = /^\S+/.exec(said)?.[0] ?? '';
  if (first.startsWith('--') || parseRepositoryRef(first.replace(/[,:]$/, '')) !== null) return true;
  if (namesFirst.test(said) || vocative.test(said)) return false;
  // Nothing here knows the words of other scripts.
  const letters = said.replace(/@\S+/g, '');
  if (!/\p{L}/u.test(letters)) return false;
  if (!/\p{scx=Latn}/u.test(letters)) return true;
  if (instructs.test(said)) return true;
  if (toPeople.test(said) || /@[\p{L}\p{N}]/u.test(said)) return false;
  return wantsMore.test(said) || tooAtEnd.test(said) || continues.test(said);
}
