/**
 * The programming interface of the Slack simulator; the wire protocols are Slack's. A person or channel is a
 * name (without `@` or `#`) or an id. Text uses Slack's encoding: `<@U…>`, `&amp;`.
 */
import type {
  AgentSessionView,
  Answer,
  CallView,
  ChannelView,
  Delivery,
  EphemeralView,
  Interaction,
  MessageView,
  OpenView,
  Option,
  SentMessage,
  Submission,
  UserView,
  PersonKind,
} from './contract-views.ts';
import type { Wire } from '../wire/faults.ts';

export interface NewUser {
  /** Lower case, without `@`. */
  readonly name: string;
  /** Default `member`. */
  readonly kind?: PersonKind;
  /** The name that other people see. Default: `name`. */
  readonly displayName?: string;
  /** Handles of the user groups that the person belongs to. A group exists as soon as it has one member. */
  readonly groups?: readonly string[];
}
export interface NewChannel {
  /** Without `#`. */
  readonly name: string;
  readonly private?: boolean;
  /** Names of users. */
  readonly members: readonly string[];
  /** Whether the bot is a member. Default true. */
  readonly withBot?: boolean;
}

export interface SlackSimulatorOptions {
  readonly signingSecret: string;
  /** The scopes of the bot token. A method that needs another scope answers `missing_scope`. */
  readonly botScopes: readonly string[];
  readonly users: readonly NewUser[];
  readonly channels: readonly NewChannel[];
  /** `http`: signed requests to `requestUrl`. `socket`: envelopes over the WebSocket that the app opened. */
  readonly deliverTo: 'http' | 'socket';
  /** null (the default): HTTP deliveries fail until `setRequestUrl` is called. */
  readonly requestUrl?: string | null;
  /** The bot's user name. Default `airlock`. */
  readonly botName?: string;
  /** TCP port on 127.0.0.1. 0 (the default) picks a free one. */
  readonly port?: number;
  /** Breaks requests to it. */
  readonly wire?: Wire;
}

export interface Fault {
  /** A Web API method such as `chat.update`, or `response_url` for posts to a response URL. */
  readonly method: string | RegExp;
  /** `error`: a Slack error code. `status`: an HTTP status. `timeout`: no answer. `reset`: closed. */
  readonly fails:
    | { readonly error: string }
    | { readonly status: number; readonly retryAfterSeconds?: number }
    | 'timeout'
    | 'reset';
  /** How many calls fail. Default 1; `Infinity` for all. */
  readonly times?: number;
  /** `after` performs the call and loses the response, which tests idempotency. Default `before`. */
  readonly when?: 'before' | 'after';
}

interface InChannel {
  readonly user: string;
  readonly channel: string;
}
interface OnMessage extends InChannel {
  readonly ts: string;
}

export interface SharedFile {
  readonly name: string;
  /** Defaults to one letter. */
  readonly content?: string | Uint8Array<ArrayBuffer>;
  /** `snippet`: what Slack makes of a long paste. `external`: a link to another service. */
  readonly mode?: 'hosted' | 'snippet' | 'external';
}

export interface SlackSimulator {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** `${url}/api/`. */
  readonly apiUrl: string;
  readonly botToken: string;
  /** The app-level token for Socket Mode. */
  readonly appToken: string;
  readonly teamId: string;
  readonly appId: string;
  readonly botUserId: string;
  /** Throws for an unknown name, like every action below. */
  user(name: string): UserView;
  channel(name: string): ChannelView;
  /** The id (`S…`) of the user group with this handle. */
  group(handle: string): string;
  /** The id (`D…`) of the direct message channel between this user and the bot. */
  directChannel(user: string): string;
  setRequestUrl(url: string | null): void;

  // User actions. Each resolves when the app has answered, or when Slack's three seconds are over.

  /** `command` defaults to `/codex`. Works in every channel of the user, with or without the bot. */
  slashCommand(
    command: InChannel & { readonly text: string; readonly command?: string },
  ): Promise<Interaction>;
  /** Delivers `message` and, for a mention of the bot, `app_mention`, by membership and scope. */
  say(
    message: InChannel & {
      readonly text: string;
      readonly threadTs?: string;
      /** Also sends a thread reply to the channel (`thread_broadcast`). */
      readonly broadcast?: boolean;
      /** Attached files (`file_share`), or their names. */
      readonly files?: readonly (string | SharedFile)[];
    },
  ): Promise<SentMessage>;
  edit(edit: OnMessage & { readonly text: string }): Promise<SentMessage>;
  delete(message: OnMessage): Promise<SentMessage>;
  /** `name` is the emoji name without colons. */
  react(reaction: OnMessage & { readonly name: string }): Promise<SentMessage>;
  unreact(reaction: OnMessage & { readonly name: string }): Promise<SentMessage>;
  /** `button`: the `action_id` or label. Accepts the dialog. `times`: at once (a double click). */
  click(click: OnMessage & { readonly button: string; readonly times?: number }): Promise<Interaction>;
  /** Types a command that opens a form. `text` defaults to empty. Rejects if no form was opened. */
  openForm(
    command: InChannel & { readonly text?: string; readonly command?: string },
  ): Promise<{ readonly interaction: Interaction; readonly view: OpenView }>;
  /** Types `query` into an external select, and selects `pick`. Rejects if it is not offered. */
  choose(choice: {
    readonly user: string;
    readonly viewId: string;
    readonly blockId: string;
    readonly query: string;
    readonly pick?: string;
  }): Promise<{ readonly answer: Answer; readonly options: readonly Option[] }>;
  /** `menu` is its `action_id`; `query` is for an external select. */
  chooseInMessage(
    choice: OnMessage & { readonly menu: string; readonly query?: string; readonly pick: string },
  ): Promise<Interaction>;
  /**
   * `values` by block id: a text, or an option's text or value; null clears; omitted fields keep theirs.
   * Rejects with the client's message if Slack's client would not submit.
   */
  submitView(submission: {
    readonly user: string;
    readonly viewId: string;
    readonly values: Readonly<Record<string, string | null>>;
  }): Promise<Submission>;
  /** Closes the form. Delivers `view_closed` if the view has `notify_on_close`. */
  closeView(close: { readonly user: string; readonly viewId: string }): Promise<void>;
  /** Presses Stop on the status of a thread. Rejects if the thread shows no button. */
  stopSession(session: InChannel & { readonly threadTs: string }): Promise<readonly Answer[]>;
  messageShortcut(shortcut: OnMessage & { readonly callbackId: string }): Promise<Interaction>;

  // Wire-level controls.

  /** Sends the same body again with a new signature and Slack's retry headers. */
  redeliver(
    delivery: Delivery,
    retry: {
      readonly retryNum: number;
      readonly reason: 'http_timeout' | 'http_error' | 'connection_failed';
    },
  ): Promise<Answer>;
  /** The headers of a correctly signed request. `at` is in seconds since the epoch. */
  sign(
    body: string | Uint8Array,
    changes?: { readonly at?: number; readonly secret?: string; readonly contentType?: string },
  ): Record<string, string>;
  /** Sends `body` to the request URL unchanged, for tests of malformed input. */
  sendRaw(body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer>;
  readonly socket: {
    /** The number of open connections. */
    connections(): number;
    /** Sends a `disconnect` message: the app should reconnect, as Slack asks every few hours. */
    disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void;
    /** Terminates all connections without a `disconnect` message. */
    drop(): void;
  };

  // Fault injection.

  failNext(fault: Fault): void;
  /** While on, a second message to the same channel within one second gets 429 with `Retry-After: 1`. */
  limitMessages(on: boolean): void;
  revokeBotToken(): void;
  /** Changes the `x-oauth-scopes` header only; methods still check the scopes in the options. */
  showScopes(scopes: readonly string[]): void;
  archiveChannel(channel: string): Promise<void>;
  /** Every later call for this channel answers `channel_not_found`. */
  deleteChannel(channel: string): void;
  removeBot(channel: string): Promise<void>;

  // Views for assertions.

  /** The top-level messages of a channel, oldest first, without deleted ones. */
  messages(channel: string): readonly MessageView[];
  /** The root and its replies, oldest first, without deleted ones. */
  thread(channel: string, ts: string): readonly MessageView[];
  /** Finds a message, deleted or not; null if there never was one. */
  message(channel: string, ts: string): MessageView | null;
  /** The ephemeral messages that this user was shown, oldest first. */
  /** The agent session of the thread with this root; null if the app set none. */
  session(channel: string, threadTs: string): AgentSessionView | null;
  ephemerals(user: string): readonly EphemeralView[];
  /** The direct messages between this user and the bot, thread replies included, oldest first. */
  directMessages(user: string): readonly MessageView[];
  reactions(
    channel: string,
    ts: string,
  ): readonly { readonly name: string; readonly userIds: readonly string[] }[];
  /** The open forms of one user or of all, in the order in which they were opened. */
  views(user?: string): readonly OpenView[];
  calls(): readonly CallView[];
  deliveries(): readonly Delivery[];
  close(): Promise<void>;
}
