/**
 * What a program that starts the Slack simulator may ask of it: options, the actions of people, and views for
 * assertions. The protocols (Web API, Events API, interactivity, Socket Mode) are Slack's own and not described here.
 *
 * People and channels are named by their name (without `@` and `#`) or their id, wherever one is expected.
 * Text of messages is in Slack's own encoding: `<@U…>` for a mention (`user(name).mention`), `&amp;` for `&`.
 */
import type {
  Answer,
  CallView,
  ChannelView,
  Delivery,
  EphemeralView,
  Interaction,
  MessageView,
  OpenView,
  Option,
  Said,
  Submission,
  UserView,
  PersonKind,
} from './contract-views.ts';

/** As Slack answers for a person: guests and deactivated people have an account, a stranger comes through Slack Connect. */

export interface NewUser {
  /** Lower case, without `@`. */
  readonly name: string;
  /** Default `member`. */
  readonly kind?: PersonKind;
  /** What others see; default the name. */
  readonly displayName?: string;
  /** Handles of user groups (`usergroups.users.list`). A group exists when somebody is in it. */
  readonly groups?: readonly string[];
}
export interface NewChannel {
  /** Without `#`. */
  readonly name: string;
  readonly private?: boolean;
  /** Names of people. */
  readonly members: readonly string[];
  /** Whether the bot is in it. Default true. */
  readonly withBot?: boolean;
}

export interface SlackSimulatorOptions {
  readonly signingSecret: string;
  /** Exactly what the token may do; a method that needs another one answers `missing_scope`. */
  readonly botScopes: readonly string[];
  readonly users: readonly NewUser[];
  readonly channels: readonly NewChannel[];
  /** `http`: signed requests to the request URL. `socket`: envelopes over the WebSocket that the app opened. */
  readonly deliverTo: 'http' | 'socket';
  /** null (the default): nothing is sent over HTTP until `setRequestUrl`. */
  readonly requestUrl?: string | null;
  /** The bot's user name. Default `airlock`. */
  readonly botName?: string;
  /** TCP port on 127.0.0.1; 0 (the default) takes a free one. */
  readonly port?: number;
}

export interface Fault {
  /** `chat.update`, or `response_url` for posts to one. */
  readonly method: string | RegExp;
  /**
   * `error`: one of Slack's codes with status 200 (`token_revoked`, `is_archived`, …). `status`: an HTTP status, with
   * `Retry-After` when given. `timeout`: no answer until the client gives up. `reset`: the connection is cut.
   */
  readonly fails:
    | { readonly error: string }
    | { readonly status: number; readonly retryAfterSeconds?: number }
    | 'timeout'
    | 'reset';
  /** Default 1; `Infinity` for good. */
  readonly times?: number;
  /** `after` performs the call and then loses its answer: the case that idempotence is for. Default `before`. */
  readonly when?: 'before' | 'after';
}

interface InChannel {
  readonly user: string;
  readonly channel: string;
}
interface OnMessage extends InChannel {
  readonly ts: string;
}

export interface SlackSimulator {
  /** Base of the pages, without a slash at the end. */
  readonly url: string;
  /** `${url}/api/`. */
  readonly apiUrl: string;
  readonly botToken: string;
  /** For Socket Mode. */
  readonly appToken: string;
  readonly teamId: string;
  readonly appId: string;
  readonly botUserId: string;
  /** Throws for a name that is not there, like every action. */
  user(name: string): UserView;
  channel(name: string): ChannelView;
  /** Id of a user group (`S…`) by its handle. */
  group(handle: string): string;
  /** Id of the direct message between a person and the bot (`D…`): say something there to speak to the bot alone. */
  directChannel(user: string): string;
  setRequestUrl(url: string | null): void;

  // What people do. Each resolves when the app has answered, or has not within three seconds.

  /** `command` defaults to `/codex`. Works in every channel that the person is in, whether the bot is or not. */
  slashCommand(
    command: InChannel & { readonly text: string; readonly command?: string },
  ): Promise<Interaction>;
  /**
   * Stores the message and delivers `message` and, when it mentions the bot, `app_mention`, where the bot is in the
   * channel and its scopes let it hear.
   */
  say(
    message: InChannel & {
      readonly text: string;
      readonly threadTs?: string;
      /** Sent to the channel as well: `thread_broadcast`. */
      readonly broadcast?: boolean;
      /** Names of attached files: `file_share`. */
      readonly files?: readonly string[];
    },
  ): Promise<Said>;
  edit(edit: OnMessage & { readonly text: string }): Promise<Said>;
  delete(message: OnMessage): Promise<Said>;
  /** `name` without colons. */
  react(reaction: OnMessage & { readonly name: string }): Promise<Said>;
  unreact(reaction: OnMessage & { readonly name: string }): Promise<Said>;
  /**
   * Presses a button of a message as it stands now, and confirms where it asks. `button` is an `action_id` or the
   * button's text. Rejects when there is no such button. `times` presses it that often at once (a double click): the
   * first's answer is returned. Also of a message that the person alone was shown.
   */
  click(click: OnMessage & { readonly button: string; readonly times?: number }): Promise<Interaction>;
  /** A command that opens a form; rejects when none is open for that person afterwards. `text` defaults to none. */
  openForm(
    command: InChannel & { readonly text?: string; readonly command?: string },
  ): Promise<{ readonly interaction: Interaction; readonly view: OpenView }>;
  /**
   * Types into an external select of an open form and, when `pick` (an option's text or value) is given, takes that
   * option. Rejects when the app offers no such option, or offers what Slack would not show.
   */
  choose(choice: {
    readonly user: string;
    readonly viewId: string;
    readonly blockId: string;
    readonly query: string;
    readonly pick?: string;
  }): Promise<{ readonly answer: Answer; readonly options: readonly Option[] }>;
  /** Takes an option of a menu in a message; from an external select after typing `query`. `menu` is its `action_id`. */
  chooseInMessage(
    choice: OnMessage & { readonly menu: string; readonly query?: string; readonly pick: string },
  ): Promise<Interaction>;
  /**
   * `values` by block id: text, or an option's text or value; null empties a field. What is left out stays as it is
   * (`initial_*`, an earlier `choose`). Rejects with the client's sentence when Slack would not send it: a required field
   * empty, a text too short or long, an option that is not there.
   */
  submitView(submission: {
    readonly user: string;
    readonly viewId: string;
    readonly values: Readonly<Record<string, string | null>>;
  }): Promise<Submission>;
  /** Presses the X: `view_closed` is sent when the view asks for it. */
  closeView(close: { readonly user: string; readonly viewId: string }): Promise<void>;
  messageShortcut(shortcut: OnMessage & { readonly callbackId: string }): Promise<Interaction>;

  // The wire.

  /** The same body again, newly signed, with Slack's retry headers. */
  redeliver(
    delivery: Delivery,
    retry: {
      readonly retryNum: number;
      readonly reason: 'http_timeout' | 'http_error' | 'connection_failed';
    },
  ): Promise<Answer>;
  /** Headers of a correctly signed request. `at`: seconds since the epoch. */
  sign(
    body: string | Uint8Array,
    changes?: { readonly at?: number; readonly secret?: string; readonly contentType?: string },
  ): Record<string, string>;
  /** Sends bytes to the request URL as they are: for bad input. */
  sendRaw(body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer>;
  readonly socket: {
    /** Connections that are open now. */
    connections(): number;
    /** Asks the app to connect again, as Slack does every few hours (`warning`, `refresh_requested`). */
    disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void;
    /** Cuts the connections without a word. */
    drop(): void;
  };

  // What goes wrong.

  failNext(fault: Fault): void;
  /** While on: a second message to the same channel within one second is answered 429 with `Retry-After: 1`. */
  limitMessages(on: boolean): void;
  revokeBotToken(): void;
  /** What `x-oauth-scopes` names from now on. Methods go on by the scopes of the start. */
  showScopes(scopes: readonly string[]): void;
  archiveChannel(channel: string): Promise<void>;
  /** Answers `channel_not_found` from now on. */
  deleteChannel(channel: string): void;
  removeBot(channel: string): Promise<void>;

  // Views for assertions.

  /** At the top of a channel, oldest first; without deleted ones. */
  messages(channel: string): readonly MessageView[];
  /** The root and its replies, oldest first; without deleted ones. */
  thread(channel: string, ts: string): readonly MessageView[];
  /** Also a deleted one; null when there never was one. */
  message(channel: string, ts: string): MessageView | null;
  /** What only this person was shown, oldest first. */
  ephemerals(user: string): readonly EphemeralView[];
  /** Between the person and the bot, threads included, oldest first. */
  directMessages(user: string): readonly MessageView[];
  reactions(
    channel: string,
    ts: string,
  ): readonly { readonly name: string; readonly userIds: readonly string[] }[];
  /** Open forms, of one person or of all; the last opened comes last. */
  views(user?: string): readonly OpenView[];
  calls(): readonly CallView[];
  deliveries(): readonly Delivery[];
  close(): Promise<void>;
}
