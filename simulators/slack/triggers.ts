/** A trigger id opens one view within 3 s; a response URL accepts five answers in 30 minutes. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Person } from './workspace.ts';

/** https://docs.slack.dev/interactivity/handling-user-interaction: "valid for 3 seconds". */
const triggerLifeMs = 3_000;
/** https://docs.slack.dev/interactivity/handling-user-interaction: up to 5 times within 30 minutes. */
const responseUrlLifeMs = 30 * 60_000;
const responseUrlUses = 5;

interface Trigger {
  readonly person: Person;
  readonly expiresAt: number;
  /** The view that `views.push` stacks the next one on; null outside a form. */
  readonly viewId: string | null;
  used: boolean;
}

export class Triggers {
  private readonly made = new Map<string, Trigger>();

  make(person: Person, viewId: string | null = null): string {
    const id = `${randomInt(1e9, 1e10)}.${randomInt(1e9, 1e10)}.${randomBytes(16).toString('hex')}`;
    this.made.set(id, { person, expiresAt: Date.now() + triggerLifeMs, viewId, used: false });
    return id;
  }

  /** Uses up a trigger id. Error codes: https://docs.slack.dev/reference/methods/views.open */
  exchange(id: string): { readonly trigger: Trigger } | { readonly error: string } {
    const trigger = this.made.get(id);
    if (trigger === undefined) return { error: 'invalid_trigger_id' };
    if (trigger.used) return { error: 'exchanged_trigger_id' };
    if (trigger.expiresAt <= Date.now()) return { error: 'expired_trigger_id' };
    trigger.used = true;
    return { trigger };
  }
}

export interface ResponseTarget {
  readonly person: Person;
  readonly channelId: string;
  readonly threadTs: string | null;
  /** The message with the pressed button, which `replace_original` replaces. */
  readonly messageTs: string | null;
  /** Ephemeral texts shown to the user, oldest first. */
  readonly ephemerals: string[];
  readonly expiresAt: number;
  used: number;
}

export class ResponseUrls {
  private readonly made = new Map<string, ResponseTarget>();

  make(
    kind: 'commands' | 'actions',
    target: Pick<ResponseTarget, 'person' | 'channelId' | 'threadTs' | 'messageTs'>,
  ) {
    const path = `/${kind}/${target.person.teamId}/${randomInt(1e9, 1e10)}/${randomBytes(12).toString('base64url')}`;
    const made: ResponseTarget = {
      ...target,
      ephemerals: [],
      expiresAt: Date.now() + responseUrlLifeMs,
      used: 0,
    };
    this.made.set(path, made);
    return { path, target: made };
  }

  take(path: string): { readonly target: ResponseTarget } | { readonly error: 'expired_url' | 'used_url' } {
    const target = this.made.get(path);
    if (target === undefined || target.expiresAt <= Date.now()) return { error: 'expired_url' };
    if (target.used >= responseUrlUses) return { error: 'used_url' };
    target.used += 1;
    return { target };
  }
}
