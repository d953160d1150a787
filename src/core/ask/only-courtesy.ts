/**
 * Tells words that only thank, praise, acknowledge, or announce what their author does next. They ask
 * nobody for anything.
 */
import { anyOf, wholeWords } from './word-patterns.ts';

/** Marks the bot's mention in the words. A character that nobody types. */
export const here = '\uE000@';

const thanking = anyOf(`
  thanks, thank (?:you|u), thankyou, thx, thnx, tnx, ty, tysm, cheers, kudos, props, credits?,
  shout-?out, hat tip, h/t, danke(?: schön)?, merci, gracias, obrigad[oa], grazie, bedankt, tack,
  спасибо, ありがとう(?:ございます|ございました)?, 谢谢, 謝謝, 多谢, 감사합니다, 고마워요?`);
const good = anyOf(`
  quick, fast, great, awesome, perfect, amazing, nice, helpful, good, wonderful, brilliant, the best, it`);
const works = `(?:looks?|works?|working)(?: ${anyOf('good, great, fine, well, perfectly, nicely, to me, for me, now')})*`;
const praise = anyOf(`
  well done, s?lgtm, perfect, cool, wow, wonderful, fantastic, beautiful, love (?:it|this), neat, yay,
  rocks, you rock, hooray, all good, much appreciated, appreciate it, ${works},
  (?:good|great|nice|excellent|awesome|amazing|brilliant) ?(?:job|work|one|bot|stuff|fix|catch|find)?,
  (?:(?:it|this|that|you|all)(?:'?s| is| was|'?re| are)? |which (?:is|was) )(?:(?:so|very|really|just) )*(?:${good}|${works})`);
const acknowledgement = anyOf(`
  ok(?:ay|ie)?, k, kk, ack, acked, noted, got it, gotcha, roger, understood, i see, makes sense, sgtm,
  sounds good, fair(?: enough| point)?, agreed?, i agree, same here, yup, yep, yeah, alright, all right,
  sure(?: thing)?, no (?:worries|problem|rush), take (?:your time|care), make sense, np, nvm, hm+, mhm+,
  aha, ah+, oh+, haha+, lol, interesting, approved, merged, done, shipped, deployed, closed, released,
  reviewed, \\+1, 好的, 收到, 了解(?:です|しました)?, 承知しました, はい, 네, 알겠습니다`);
const plan = '(?:going|about) to';
const soon = anyOf('it, this, that, now, in, into, later, soon, tomorrow, locally');
/** What people say about their own next steps. */
const announcement = anyOf(`
  (?:i|we)(?:'ll| will|'m ${plan}| am ${plan}|'re ${plan}| are ${plan}) (?!need|want|give|have to).*,
  (?:i|we)(?:'ve| have|'m| am|'re| are)?(?: just| already)? (?:merg|approv|review|test|deploy|clos|check|push|ship|releas)(?:e?d|ing)(?: .*)?,
  (?:will|gonna) (?:do|be|have|take|look|check|review|test|try|merge|ship|deploy|wait|get|come|close)(?: .*)?,
  (?:merging|reviewing|testing|checking|deploying|closing|shipping|approving|looking)(?: ${soon}(?: .*)?)?,
  let me (?:check|look|take|try|test|review|think|read|verify|investigate)(?: .*)?,
  let's (?:merge|ship|release|deploy|wait|talk|discuss|see)(?: .*)?, (?:i'm |am )?on it, brb, wip, bbl`);
const fillers = anyOf(`
  @[\\p{L}\\p{N}_/-]*, so, very, a, an, alot, lot, lots, ton, million, bunch, much, again, you, u, all,
  both, everyone, everybody, team, folks, guys, bot, many, big, huge, to, and, oh, ok, hey, hi, wow,
  great, awesome, really, always, as, the, my, friend, then, now`);
/** Only where a word ends: with two ways to read `@a`, a list of them would take exponential time. */
const wordEnd = '(?![\\p{L}\\p{N}_/-])';
const filler = `(?:\\s|${fillers}${wordEnd})`;
const onlyCourteous = new RegExp(
  `^${filler}*(?:${thanking}(?: (?:goes |go )?to @.*|${filler}*(?:for .*)?)|(?:${praise}|${acknowledgement})${filler}*|` +
    `${announcement})$`,
  'iu',
);
/** A clause that only says to whom the words go. */
const onlyAddress = new RegExp(
  `^(?:(?:hey|hi|hello|dear|and|all|team|everyone|folks|guys|@[\\p{L}\\p{N}_/-]*)${wordEnd}\\s*)+$`,
  'iu',
);
/** What turns a courtesy into a request. */
const asksMore = wholeWords(
  `please, pls, plz, can you, could you, would you, will you, in advance, but, however, still, instead, though,
  except, next, broken, breaks, fails?, failing, wrong, not, never, \\w+n't`,
);

/** Whether the words ask for more than they thank for. */
export const asks = (words: string): boolean => words.includes('?') || asksMore.test(words);

/** Longer words ask for something. */
export const maxCourtesyChars = 2_000;

/** Whether the words are only courtesies or emoji. False if there are none. */
export function onlyCourtesy(words: string): boolean {
  if (words.length > maxCourtesyChars) return false;
  const text = words
    .replaceAll(here, '@ ')
    .replace(/’/g, "'")
    .replace(/:[a-z0-9_+-]{1,40}:(?=$|[\s:.,!])/gi, ' \uFFFD ')
    .replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|[:;]-?[)D]|<3/gu, ' \uFFFD ');
  const clauses = text
    .split(/[.!;,\n。！，、…()–—]+/u)
    .map((clause) => clause.replace(/[^\p{L}\p{N}@'/?+\uFFFC-]+/gu, ' ').trim())
    .filter((clause) => clause !== '' && !onlyAddress.test(clause));
  if (clauses.length === 0) return text.includes('\uFFFD');
  return clauses.every((clause) => onlyCourteous.test(clause) && !asks(clause));
}
