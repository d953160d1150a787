/** Parses the body of a signed request: its kind, name and sender. Listeners parse the rest. */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';

export type InboundKind = 'command' | 'event' | 'action' | 'submission' | 'options' | 'shortcut' | 'closed';

/** The origin of a request, by ids of workspaces (`T…`) and organizations (`E…`). */
export interface Sender {
  /** The workspace in which the app was used; null if the app is installed for a whole organization. */
  readonly workspace: string | null;
  /** Every workspace that the payload names as the user's own. */
  readonly userWorkspaces: readonly string[];
  readonly enterprise: string | null;
  readonly enterpriseInstall: boolean;
}

export interface Inbound {
  readonly kind: InboundKind;
  /** The event type, action id, callback id or command, for the log. Never typed by a user. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly sender: Sender;
}

export type PayloadReading =
  | { readonly kind: 'inbound'; readonly inbound: Inbound }
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'ssl-check' }
  /** A request that Airlock does not handle. `why` is a fixed text. */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string };

const id = z.string().min(1).max(64);
const name = z.string().min(1).max(255);
const optionalId = id.nullish();

const commandSchema = z.object({
  command: z.string().regex(/^\/\S{1,32}$/),
  user_id: id,
  team_id: optionalId,
  enterprise_id: optionalId,
  is_enterprise_install: z.string().optional(),
});
const eventSchema = z.object({
  type: z.literal('event_callback'),
  team_id: optionalId,
  /** In a shared channel, the workspace through which the app receives the event. */
  context_team_id: optionalId,
  enterprise_id: optionalId,
  authorizations: z
    .array(z.object({ user_id: optionalId, is_enterprise_install: z.boolean().optional() }))
    .nullish(),
  event: z.object({ type: name, team: optionalId, user_team: optionalId, source_team: optionalId }),
});
const interactiveSchema = z.object({
  user: z.object({ id, team_id: optionalId }),
  team: z.object({ id, enterprise_id: optionalId }).nullish(),
  enterprise: z.object({ id }).nullish(),
  is_enterprise_install: z.union([z.boolean(), z.string()]).optional(),
});
/** The fields by which Bolt finds a listener. Bolt would throw if they had another type. */
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
const present = (ids: readonly (string | null | undefined)[]): readonly string[] =>
  ids.filter((value) => value !== null && value !== undefined);

/** Parses a form; null if it is malformed. Slack escapes all special characters and repeats no field. */
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
      return null; // an invalid escape, or bytes that are not UTF-8
    }
  }
  return Object.fromEntries(fields);
}

const parseObject = (json: string): Body | null => bodySchema.safeParse(parseJson(json)).data ?? null;

function readCommand(body: Body): PayloadReading {
  const parsed = commandSchema.safeParse(body);
  if (!parsed.success) return malformed('the command is not in the format that Slack documents');
  const { command, team_id: team, enterprise_id: enterprise, is_enterprise_install: install } = parsed.data;
  const sender: Sender = {
    workspace: team ?? null,
    userWorkspaces: [],
    enterprise: enterprise ?? null,
    enterpriseInstall: install === 'true',
  };
  return { kind: 'inbound', inbound: { kind: 'command', name: command, body, sender } };
}

function readEvent(body: Body): PayloadReading {
  const parsed = eventSchema.safeParse(body);
  if (!parsed.success) return malformed('the event is not in the format that Slack documents');
  const { event, authorizations } = parsed.data;
  const sender: Sender = {
    workspace: parsed.data.context_team_id ?? parsed.data.team_id ?? null,
    userWorkspaces: present([event.team, event.user_team, event.source_team]),
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
    workspace: team?.id ?? null,
    userWorkspaces: present([user.team_id]),
    enterprise: team?.enterprise_id ?? enterprise?.id ?? null,
    enterpriseInstall: install === true || install === 'true',
  };
  const inbound = (kind: InboundKind, target: string | undefined): PayloadReading =>
    target === undefined
      ? malformed('the payload does not name its action')
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

/** `form`: `application/x-www-form-urlencoded`; JSON otherwise. Linear time. */
export function readPayload(form: boolean, untrustedText: string): PayloadReading {
  const body = form ? parseForm(untrustedText) : parseObject(untrustedText);
  if (body === null) return malformed(form ? 'not a form' : 'not a JSON object');
  if (!form) {
    if (body['type'] === 'event_callback') return readEvent(body);
    if (body['type'] !== 'url_verification') return { kind: 'ignored', why: 'an unknown type of request' };
    const challenge = z.string().min(1).max(500).safeParse(body['challenge']);
    return challenge.success
      ? { kind: 'challenge', challenge: challenge.data }
      : malformed('the challenge is missing');
  }
  if (body['ssl_check'] !== undefined) return { kind: 'ssl-check' };
  if (body['command'] !== undefined) return readCommand(body);
  const payload = typeof body['payload'] === 'string' ? parseObject(body['payload']) : null;
  if (payload === null) return malformed('neither a command nor a payload that is a JSON object');
  const { type } = payload;
  return isInteractive(type) ? readInteractive(type, payload) : malformed('an unknown type of interaction');
}

/** Accepts payloads without the user's workspace, because later code looks the user up. */
export function isFromTeam(sender: Sender, team: string): boolean {
  const { workspace, userWorkspaces, enterprise, enterpriseInstall } = sender;
  // An organization covers all its workspaces. Only Slack knows which ones these are.
  if (team.startsWith('E')) return enterprise === team;
  if (enterpriseInstall || workspace !== team) return false;
  return userWorkspaces.every((own) => own === team || own === enterprise);
}
