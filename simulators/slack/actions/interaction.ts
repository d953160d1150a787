/** Carries out one user action: trigger id, response URL, delivery, and the app's answer. */
import { typedBlocks } from '../blocks.ts';
import type { Answer, Delivery, Interaction } from '../contract-views.ts';
import { listOf, parseJsonObject, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import type { ResponseTarget } from '../triggers.ts';
import type { Channel, Person } from '../workspace.ts';

const replyTimeoutMs = 3_000;
const pollIntervalMs = 20;

interface ActionContext {
  readonly person: Person;
  readonly channel: Channel;
  readonly threadTs: string | null;
  readonly messageTs: string | null;
}

export async function interact(
  site: Site,
  context: ActionContext,
  kind: Delivery['kind'],
  build: (ids: { readonly triggerId: string; readonly responseUrl: string }) => {
    name: string;
    payload: Json;
  },
): Promise<Interaction> {
  const triggerId = site.triggers.make(context.person);
  const { path, target } = site.responseUrls.make(kind === 'command' ? 'commands' : 'actions', {
    person: context.person,
    channelId: context.channel.id,
    threadTs: context.threadTs,
    messageTs: context.messageTs,
  });
  const answer = await site.deliveries.send({
    kind,
    ...build({ triggerId, responseUrl: `${site.url}${path}` }),
  });
  if (kind === 'command') showAnswer(site, answer, context, target);
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
            `no ephemeral message within ${timeoutMs} ms; the app answered ${answer.status ?? answer.error}`,
          );
        await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
      }
      return ephemerals[0] ?? '';
    },
  };
}

/** Plain text or JSON: docs.slack.dev/interactivity/implementing-slash-commands#responding_basic_receipt */
function showAnswer(site: Site, answer: Answer, context: ActionContext, target: ResponseTarget): void {
  if (answer.status !== 200 || answer.body.trim() === '') return;
  const message = parseJsonObject(answer.body);
  const text = message === null ? answer.body : textOf(message['text']);
  const blocks = listOf(message?.['blocks']);
  if (text === '' && typedBlocks(blocks).length === 0) return;
  showEphemeral(site, target, { text, blocks, via: 'answer', at: context });
}

export function showEphemeral(
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
