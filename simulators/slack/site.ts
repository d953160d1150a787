/** The state and services that the simulator's parts share. */
import type { AgentSessionView } from './contract-views.ts';
import type { FilesInfoResponse } from '@slack/web-api';
import type { Deliveries } from './deliveries.ts';
import type { EmulatedSlack } from './emulator.ts';
import type { CallLog, Faults, MessageLimit } from './faults.ts';
import type { Forms } from './forms.ts';
import type { Journal } from './journal.ts';
import type { SocketHub } from './socket-hub.ts';
import type { ResponseUrls, Triggers } from './triggers.ts';
import type { Workspace } from './workspace.ts';

export interface StoredFile {
  readonly document: NonNullable<FilesInfoResponse['file']>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Site {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly botScopes: readonly string[];
  /** Slack's deprecated verification token, which every payload still carries. Apps must not rely on it. */
  readonly verificationToken: string;
  readonly emulated: EmulatedSlack;
  readonly workspace: Workspace;
  readonly journal: Journal;
  readonly forms: Forms;
  readonly triggers: Triggers;
  readonly responseUrls: ResponseUrls;
  /** Agent sessions by `sessionKey`. */
  readonly sessions: Map<string, AgentSessionView>;
  readonly deliveries: Deliveries;
  readonly socket: SocketHub;
  readonly faults: Faults;
  readonly calls: CallLog;
  /** Shared files by id. */
  readonly files: Map<string, StoredFile>;
  readonly messageLimit: MessageLimit;
  readonly token: { revoked: boolean; shownScopes: readonly string[] };
}
