/** An action of a person from the click to the answer: the ids it hands out, and what the person is shown because of it. */
import { typedBlocks } from '../blocks.ts';
import type { Answer, Delivery, Interaction } from '../contract-views.ts';
import { listOf, parseJsonObject, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import type { ResponseTarget } from '../triggers.ts';
import type { Channel, Person } from '../workspace.ts';

const replyTimeoutMs = 3_000;
const pollIntervalMs = 20;

interface Acted {
  readonly person: Person;
  readonly channel: Channel;
  readonly threadTs: string | null;
  readonly messageTs: string | null;
}

export async function interact(
  site: Site,
  acted: Acted,
  kind: Delivery['kind'],
  build: (ids: { readonly triggerId: string; readonly responseUrl: string }) => {
    what: string;
    payload: Json;
  },
): Promise<Interaction> {
  const triggerId = site.triggers.make(acted.person);
  const { path, target } = site.responseUrls.make(kind === 'command' ? 'commands' : 'actions', {
    person: acted.person,
    channelId: acted.channel.id,
    threadTs: acted.threadTs,
    messageTs: acted.messageTs,
  });
  const answer = await site.deliveries.send({
    kind,
    ...build({ triggerId, responseUrl: `${site.url}${path}` }),
  });
  if (kind === 'command') showAnswer(site, answer, acted, target);
  return interaction(answer, triggerId, target.ephemerals);
}

export function interaction(answer: Answer, triggerId: string, ephemerals: readonly string[]): Interaction {
  return {
    ...answer,
    triggerId,
    ephemerals: () => [...ephemerals],
    async reply(timeoutMs = replyTimeoutMs) {
      const until = Date.now() + timeoutMs;
      while (ephemerals.length === 0) {
        if (Date.now() >= until)
          throw new Error(
            `nothing was said to the person within ${timeoutMs} ms; the app answered ${answer.status ?? answer.error}`,
          );
        await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
      }
      return ephemerals[0] ?? '';
    },
  };
}

/**
 * The answer to a command is shown to the person alone, as text or as a message in JSON:
 * https://docs.slack.dev/interactivity/implementing-slash-commands#responding_basic_receipt
 */
function showAnswer(site: Site, answer: Answer, acted: Acted, target: ResponseTarget): void {
  if (answer.status !== 200 || answer.body.trim() === '') return;
  const message = parseJsonObject(answer.body);
  const text = message === null ? answer.body : textOf(message['text']);
  const blocks = listOf(message?.['blocks']);
  if (text === '' && typedBlocks(blocks).length === 0) return;
  showAlone(site, target, { text, blocks, via: 'answer', at: acted });
}

export function showAlone(
  site: Site,
  target: ResponseTarget,
  shown: {
    readonly text: string;
    readonly blocks: readonly Json[];
    readonly via: 'answer' | 'response_url';
    readonly at: { readonly threadTs: string | null };
  },
): void {
  const before = site.journal.ephemerals(target.person.id).length;
  site.journal.addEphemeral({
    channelId: target.channelId,
    ts: (Date.now() / 1000).toFixed(6),
    threadTs: shown.at.threadTs,
    userId: target.person.id,
    text: shown.text,
    blocks: shown.blocks,
    via: shown.via,
  });
  target.ephemerals.push(site.journal.ephemerals(target.person.id)[before]?.shown ?? shown.text);
}
