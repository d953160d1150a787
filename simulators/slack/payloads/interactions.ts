/** Payloads of commands and interactions with Bolt's types. Each names the page that it follows. */
import type {
  BlockAction,
  BlockSuggestion,
  ButtonAction,
  ExternalSelectAction,
  MessageShortcut,
  SlashCommand,
  StaticSelectAction,
  ViewClosedAction,
  ViewOutput,
  ViewSubmitAction,
} from '@slack/bolt';
import type { InteractiveElement } from '../blocks.ts';
import { plainText, typedBlocks } from '../blocks.ts';
import type { EphemeralView, Option } from '../contract-views.ts';
import { stateOf, type Form } from '../forms.ts';
import type { StoredMessage } from '../journal.ts';
import { isJson, jsonOf, textOf } from '../json-values.ts';
import type { Site } from '../site.ts';
import type { Channel, Person } from '../workspace.ts';
import { actorFields, timestamp } from './envelope.ts';

interface ResponseHandles {
  readonly triggerId: string;
  readonly responseUrl: string;
}

/** Slack hides the names of private channels and direct messages in commands and interactions. */
function channelName(channel: Channel): string {
  if (channel.kind === 'direct') return 'directmessage';
  return channel.kind === 'private' ? 'privategroup' : channel.name;
}

/** https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
export function slashCommand(
  site: Site,
  { person, channel, command, text }: { person: Person; channel: Channel; command: string; text: string },
  { triggerId, responseUrl }: ResponseHandles,
): SlashCommand {
  return {
    token: site.verificationToken,
    team_id: site.workspace.teamId,
    team_domain: site.workspace.domain,
    channel_id: channel.id,
    channel_name: channelName(channel),
    user_id: person.id,
    user_name: person.name,
    command,
    text,
    api_app_id: site.workspace.appId,
    is_enterprise_install: 'false',
    response_url: responseUrl,
    trigger_id: triggerId,
  };
}

/** The message that holds a menu or button. */
export interface MessageLocation {
  readonly channel: Channel;
  readonly message: StoredMessage;
}
/** The ephemeral message that holds a button. */
export interface EphemeralLocation {
  readonly channel: Channel;
  readonly ephemeral: EphemeralView;
}

/** The location fields. Slack does not store ephemeral messages, so only the container identifies one. */
function locationFields(
  place: MessageLocation | EphemeralLocation,
): Pick<BlockAction, 'container' | 'channel' | 'message'> {
  const { channel } = place;
  const [at, isEphemeral] = 'message' in place ? [place.message, false] : [place.ephemeral, true];
  return {
    container: {
      type: 'message',
      message_ts: at.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...(at.threadTs === null || isEphemeral ? {} : { thread_ts: at.threadTs }),
    },
    channel: { id: channel.id, name: channelName(channel) },
    ...('message' in place ? { message: messageOf(place.message) } : {}),
  };
}

function messageOf(message: StoredMessage): MessageShortcut['message'] {
  return {
    ...message.document,
    type: 'message',
    user: message.userId,
    ts: message.ts,
    text: textOf(message.document['text']),
  };
}

/** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
function blockActions<Action extends ButtonAction | ExternalSelectAction | StaticSelectAction>(
  site: Site,
  person: Person,
  place: MessageLocation | EphemeralLocation,
  action: Action,
  { triggerId, responseUrl }: ResponseHandles,
): BlockAction<Action> {
  return {
    type: 'block_actions',
    ...actorFields(site, person),
    ...locationFields(place),
    trigger_id: triggerId,
    state: { values: {} },
    response_url: responseUrl,
    actions: [action],
  };
}

export function buttonPressed(
  site: Site,
  person: Person,
  place: MessageLocation | EphemeralLocation,
  { blockId, element }: InteractiveElement,
  handles: ResponseHandles,
): BlockAction<ButtonAction> {
  const { value, url } = element;
  const action: ButtonAction = {
    type: 'button',
    action_id: textOf(element['action_id']),
    block_id: blockId,
    text: { type: 'plain_text', text: plainText(element['text']), emoji: true },
    ...(typeof value === 'string' ? { value } : {}),
    ...(typeof url === 'string' ? { url } : {}),
    action_ts: timestamp(),
  };
  return blockActions(site, person, place, action, handles);
}

export function optionSelected(
  site: Site,
  person: Person,
  place: MessageLocation,
  { blockId, element }: InteractiveElement,
  option: Option,
  handles: ResponseHandles,
): BlockAction<ExternalSelectAction | StaticSelectAction> {
  const action: ExternalSelectAction | StaticSelectAction = {
    type: element['type'] === 'external_select' ? 'external_select' : 'static_select',
    action_id: textOf(element['action_id']),
    block_id: blockId,
    selected_option: { text: { type: 'plain_text', text: option.text, emoji: true }, value: option.value },
    action_ts: timestamp(),
  };
  return blockActions(site, person, place, action, handles);
}

/** https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload */
export function blockSuggestion(
  site: Site,
  person: Person,
  { blockId, element }: InteractiveElement,
  value: string,
  at: Form | MessageLocation,
): BlockSuggestion {
  return {
    type: 'block_suggestion',
    ...actorFields(site, person),
    block_id: blockId,
    action_id: textOf(element['action_id']),
    value,
    ...('message' in at
      ? locationFields(at)
      : { container: { type: 'view', view_id: at.id }, view: viewOutput(site, at) }),
  };
}

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_submission */
export function viewSubmission(site: Site, form: Form, triggerId: string): ViewSubmitAction {
  return {
    type: 'view_submission',
    ...actorFields(site, form.person),
    trigger_id: triggerId,
    view: viewOutput(site, form),
    response_urls: [],
  };
}

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_closed */
export function viewClosed(site: Site, form: Form): ViewClosedAction {
  return {
    type: 'view_closed',
    ...actorFields(site, form.person),
    view: viewOutput(site, form),
    is_cleared: false,
  };
}

/** https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload#message_actions */
export function messageAction(
  site: Site,
  person: Person,
  place: MessageLocation,
  callbackId: string,
  { triggerId, responseUrl }: ResponseHandles,
): MessageShortcut & { readonly api_app_id: string } {
  return {
    type: 'message_action',
    ...actorFields(site, person),
    callback_id: callbackId,
    trigger_id: triggerId,
    message_ts: place.message.ts,
    response_url: responseUrl,
    message: messageOf(place.message),
    channel: { id: place.channel.id, name: channelName(place.channel) },
    action_ts: timestamp(),
  };
}

/** The view with the entered values: https://docs.slack.dev/reference/views */
function viewOutput(site: Site, form: Form): ViewOutput {
  const view = form.document;
  const plain = (value: unknown) =>
    isJson(value) ? { type: 'plain_text' as const, text: plainText(value), emoji: true } : null;
  return {
    id: form.id,
    team_id: site.workspace.teamId,
    app_installed_team_id: site.workspace.teamId,
    type: 'modal',
    callback_id: textOf(view['callback_id']),
    app_id: site.workspace.appId,
    bot_id: site.workspace.botId,
    title: plain(view['title']) ?? { type: 'plain_text', text: '' },
    blocks: [...typedBlocks(view['blocks'])],
    close: plain(view['close']),
    submit: plain(view['submit']),
    state: { values: stateOf(form) },
    hash: textOf(view['hash']),
    private_metadata: textOf(view['private_metadata']),
    root_view_id: textOf(view['root_view_id']) || form.id,
    previous_view_id: textOf(view['previous_view_id']) || null,
    clear_on_close: view['clear_on_close'] === true,
    notify_on_close: view['notify_on_close'] === true,
    external_id: textOf(jsonOf(view)['external_id']),
  };
}
