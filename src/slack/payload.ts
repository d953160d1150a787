/**
 * The text of a signed request → what it is. Pure. Says only as much as is needed to hand it to Bolt and to know whose it is; what
 * a command or a click asks for is read by whoever answers it.
 */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';

export type InboundKind = 'command' | 'event' | 'action' | 'submission' | 'options' | 'shortcut' | 'closed';

/** Whose request it is, as the payload says. Ids of workspaces (`T…`) and organisations (`E…`). */
export interface Sender {
  /** The workspace that the app was asked in; null for an app of a whole organisation. */
  readonly place: string | null;
  /** Every workspace that the payload names as the person's own. */
  readonly person: readonly string[];
  readonly enterprise: string | null;
  readonly enterpriseInstall: boolean;
}

export interface Inbound {
  readonly kind: InboundKind;
  /** The type of an event, the id of an action or callback, the command: for the log. Written by Slack, never by a person. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly sender: Sender;
}

export type PayloadReading =
  | { readonly kind: 'inbound'; readonly inbound: Inbound }
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'ssl-check' }
  /** Nothing that we take; `why` is ours. */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string };

const id = z.string().min(1).max(64);
const name = z.string().min(1).max(255);
const maybeId = id.nullish();

const commandSchema = z.object({
  command: z.string().regex(/^\/\S{1,32}$/),
  user_id: id,
  team_id: maybeId,
  enterprise_id: maybeId,
  is_enterprise_install: z.string().optional(),
});
const eventSchema = z.object({
  type: z.literal('event_callback'),
  team_id: maybeId,
  /** In a channel that is shared with another workspace: the one through which we hear of it. */
  context_team_id: maybeId,
  enterprise_id: maybeId,
  authorizations: z
    .array(z.object({ user_id: maybeId, is_enterprise_install: z.boolean().optional() }))
    .nullish(),
  event: z.object({ type: name, team: maybeId, user_team: maybeId, source_team: maybeId }),
});
const interactiveSchema = z.object({
  user: z.object({ id, team_id: maybeId }),
  team: z.object({ id, enterprise_id: maybeId }).nullish(),
  enterprise: z.object({ id }).nullish(),
  is_enterprise_install: z.union([z.boolean(), z.string()]).optional(),
});
/** What Bolt looks at to find a listener: were it of another type, Bolt would throw. */
const targetSchemas = {
  block_actions: z.object({ actions: z.array(z.object({ action_id: name, block_id: name })).min(1) }),
  block_suggestion: z.object({ action_id: name, block_id: name }),
  view_submission: z.object({ view: z.object({ callback_id: z.string().max(255) }) }),
  view_closed: z.object({ view: z.object({ callback_id: z.string().max(255) }) }),
  message_action: z.object({ callback_id: name }),
  shortcut: z.object({ callback_id: name }),
} as const;

type Body = Readonly<Record<string, unknown>>;
const bodySchema = z.record(z.string(), z.unknown());

const malformed = (why: string): PayloadReading => ({ kind: 'malformed', why });
const given = (ids: readonly (string | null | undefined)[]): readonly string[] =>
  ids.filter((value) => value !== null && value !== undefined);

/** null when it is no form: Slack escapes every character that needs it, and sends no field twice. */
function parseForm(text: string): Body | null {
  const fields = new Map<string, string>();
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=');
    try {
      const [key = '', value = ''] = [pair.slice(0, at), pair.slice(at + 1)].map((part) =>
        decodeURIComponent(part.replaceAll('+', ' ')),
      );
      if (at < 1 || fields.has(key)) return null;
      fields.set(key, value);
    } catch {
      return null; // a `%` that escapes nothing, or bytes that are not UTF-8
    }
  }
  return Object.fromEntries(fields);
}

const parseObject = (json: string): Body | null => bodySchema.safeParse(parseJson(json)).data ?? null;

function readCommand(body: Body): PayloadReading {
  const parsed = commandSchema.safeParse(body);
  if (!parsed.success) return malformed('the command is not as Slack documents it');
  const { command, team_id: team, enterprise_id: enterprise, is_enterprise_install: install } = parsed.data;
  const sender: Sender = {
    place: team ?? null,
    person: [],
    enterprise: enterprise ?? null,
    enterpriseInstall: install === 'true',
  };
  return { kind: 'inbound', inbound: { kind: 'command', name: command, body, sender } };
}

function readEvent(body: Body): PayloadReading {
  const parsed = eventSchema.safeParse(body);
  if (!parsed.success) return malformed('the event is not as Slack documents it');
  const { event, authorizations } = parsed.data;
  const sender: Sender = {
    place: parsed.data.context_team_id ?? parsed.data.team_id ?? null,
    person: given([event.team, event.user_team, event.source_team]),
    enterprise: parsed.data.enterprise_id ?? null,
    enterpriseInstall: authorizations?.some((one) => one.is_enterprise_install === true) === true,
  };
  return { kind: 'inbound', inbound: { kind: 'event', name: event.type, body, sender } };
}

function readInteractive(type: keyof typeof targetSchemas, body: Body): PayloadReading {
  const parsed = interactiveSchema.safeParse(body);
  if (!parsed.success) return malformed('the payload does not say who sent it');
  const { user, team, enterprise, is_enterprise_install: install } = parsed.data;
  const sender: Sender = {
    place: team?.id ?? null,
    person: given([user.team_id]),
    enterprise: team?.enterprise_id ?? enterprise?.id ?? null,
    enterpriseInstall: install === true || install === 'true',
  };
  const inbound = (kind: InboundKind, target: string | undefined): PayloadReading =>
    target === undefined
      ? malformed('the payload does not say what it is about')
      : { kind: 'inbound', inbound: { kind, name: target, body, sender } };
  switch (type) {
    case 'block_actions':
      return inbound('action', targetSchemas[type].safeParse(body).data?.actions[0]?.action_id);
    case 'block_suggestion':
      return inbound('options', targetSchemas[type].safeParse(body).data?.action_id);
    case 'view_submission':
      return inbound('submission', targetSchemas[type].safeParse(body).data?.view.callback_id);
    case 'view_closed':
      return inbound('closed', targetSchemas[type].safeParse(body).data?.view.callback_id);
    case 'message_action':
    case 'shortcut':
      return inbound('shortcut', targetSchemas[type].safeParse(body).data?.callback_id);
  }
}

const isInteractive = (type: unknown): type is keyof typeof targetSchemas =>
  typeof type === 'string' && Object.hasOwn(targetSchemas, type);

/** `form`: of type `application/x-www-form-urlencoded`; otherwise it is JSON. Linear. */
export function readPayload(form: boolean, untrustedText: string): PayloadReading {
  const body = form ? parseForm(untrustedText) : parseObject(untrustedText);
  if (body === null) return malformed(form ? 'not a form' : 'not a JSON object');
  if (!form) {
    if (body['type'] === 'event_callback') return readEvent(body);
    if (body['type'] !== 'url_verification')
      return { kind: 'ignored', why: 'a type of request that is not known' };
    const challenge = z.string().min(1).max(500).safeParse(body['challenge']);
    return challenge.success
      ? { kind: 'challenge', challenge: challenge.data }
      : malformed('there is no challenge');
  }
  if (body['ssl_check'] !== undefined) return { kind: 'ssl-check' };
  if (body['command'] !== undefined) return readCommand(body);
  const payload = typeof body['payload'] === 'string' ? parseObject(body['payload']) : null;
  if (payload === null) return malformed('neither a command nor a payload that is a JSON object');
  const { type } = payload;
  return isInteractive(type)
    ? readInteractive(type, payload)
    : malformed('a type of interaction that is not known');
}

/**
 * Whether it comes from the one workspace that is served, by somebody of it. What the payload leaves out is no objection: who the person
 * is, guest, stranger or bot, is asked of Slack before anything is done for them.
 */
export function isFrom(sender: Sender, team: string): boolean {
  const { place, person, enterprise, enterpriseInstall } = sender;
  // An organisation: all of its workspaces. Which of them are its own is known to Slack alone.
  if (team.startsWith('E')) return enterprise === team;
  if (enterpriseInstall || place !== team) return false;
  return person.every((own) => own === team || own === enterprise);
}
