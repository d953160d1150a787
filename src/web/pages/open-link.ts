/** One-time links that sign in the operator of one machine: made in the terminal, accepted once. */
import * as z from 'zod';
import { createSigner, randomWord, type Signer } from '../../lib/signer.ts';
import { openSigned } from './signed-json.ts';

const linkSchema = z.strictObject({ nonce: z.string(), until: z.number(), botId: z.string() });
/** Longest life of a link. */
export const maxLinkMs = 60 * 60_000;

/** `botId`: the start of the bot that the link is for; another start does not know which were used. */
export async function makeOpenLink(
  bot: { readonly url: string; readonly id: string; readonly privateKey: string },
  path: string,
  until: number,
): Promise<string> {
  const link = JSON.stringify({ nonce: randomWord(), until, botId: bot.id });
  const query = new URLSearchParams({
    link: await createSigner(bot.privateKey).sign('open', link),
    to: path,
  });
  return `${bot.url}/open?${query.toString()}`;
}

export interface OpenLinks {
  /** Whether the link is ours, in time and was not used before. */
  accept(untrusted: string, now: number): Promise<boolean>;
}

export function openLinks(signer: Signer, botId: string): OpenLinks {
  /** Nonces of used links, with the end of their lives. */
  const used = new Map<string, number>();
  return {
    async accept(untrusted, now) {
      const link = await openSigned(signer, 'open', linkSchema, { untrusted, now });
      if (link === null || link.botId !== botId || link.until > now + maxLinkMs) return false;
      const { nonce, until } = link;
      for (const [one, end] of used) if (end <= now) used.delete(one);
      if (used.has(nonce)) return false;
      used.set(nonce, until);
      return true;
    },
  };
}
