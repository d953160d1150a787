/** Users, user groups and channels. The Web API's answers come from emulate, corrected in `methods/`. */
import type { ChannelView, PersonKind, UserView } from './contract-views.ts';

/** The workspace of strangers, who come by Slack Connect. */
export const foreignTeamId = 'T0FOREIGN1';

export interface Person extends UserView {
  /** The user's token in emulate. */
  readonly token: string;
  readonly groups: readonly string[];
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelView['kind'];
  readonly members: Set<string>;
  archived: boolean;
  deleted: boolean;
}

export class Workspace {
  readonly teamId: string;
  readonly domain = 'acme';
  readonly bot: Person;
  readonly botId: string;
  readonly appId: string;
  private readonly people = new Map<string, Person>();
  private readonly channels = new Map<string, Channel>();
  private readonly groups = new Map<string, { readonly id: string; readonly userIds: string[] }>();

  constructor(known: { teamId: string; bot: Person; botId: string; appId: string }) {
    this.teamId = known.teamId;
    this.bot = known.bot;
    this.botId = known.botId;
    this.appId = known.appId;
    this.people.set(known.bot.id, known.bot);
  }

  addPerson(person: Person): void {
    this.people.set(person.id, person);
    for (const handle of person.groups) {
      const group = this.groups.get(handle) ?? { id: groupId(this.groups.size), userIds: [] };
      group.userIds.push(person.id);
      this.groups.set(handle, group);
    }
  }

  addChannel(channel: Channel): void {
    this.channels.set(channel.id, channel);
  }

  findPerson(id: string): Person | null {
    return this.people.get(id) ?? null;
  }

  findChannel(id: string): Channel | null {
    const channel = this.channels.get(id);
    return channel === undefined || channel.deleted ? null : channel;
  }

  isDeleted(channelId: string): boolean {
    return this.channels.get(channelId)?.deleted ?? false;
  }

  /** Finds a user by name or id. Throws if there is none. */
  person(nameOrId: string): Person {
    const found =
      this.people.get(nameOrId) ?? [...this.people.values()].find(({ name }) => name === nameOrId);
    if (found === undefined) throw new Error(`the simulated workspace has no user ${nameOrId}`);
    return found;
  }

  channel(nameOrId: string): Channel {
    const found =
      this.channels.get(nameOrId) ??
      [...this.channels.values()].find(({ name, kind }) => kind !== 'direct' && name === nameOrId);
    if (found === undefined) throw new Error(`the simulated workspace has no channel ${nameOrId}`);
    return found;
  }

  directChannel(person: Person): Channel {
    const found = this.allChannels().find(({ kind, members }) => kind === 'direct' && members.has(person.id));
    if (found === undefined) throw new Error(`${person.name} has no direct message with the bot`);
    return found;
  }

  group(handle: string): string {
    const found = this.groups.get(handle);
    if (found === undefined) throw new Error(`the simulated workspace has no user group ${handle}`);
    return found.id;
  }

  /** The user ids of a group without deactivated users; null if the group does not exist. */
  groupMembers(id: string): readonly string[] | null {
    const found = [...this.groups.values()].find((group) => group.id === id);
    return found?.userIds.filter((user) => this.people.get(user)?.kind !== 'deactivated') ?? null;
  }

  allChannels(): readonly Channel[] {
    return [...this.channels.values()];
  }

  /** The channels in the order of Slack's sidebar: public, private, direct, each by name. */
  shownChannels(): readonly Channel[] {
    const order = { public: 0, private: 1, direct: 2 };
    return this.allChannels()
      .filter(({ deleted }) => !deleted)
      .toSorted((a, b) => order[a.kind] - order[b.kind] || a.name.localeCompare(b.name));
  }

  allPeople(): readonly Person[] {
    return [...this.people.values()];
  }
}

function groupId(count: number): string {
  return `S${String(count + 1).padStart(8, '0')}G`;
}

export function userView(person: Person): UserView {
  const { id, name, displayName, kind, teamId, mention } = person;
  return { id, name, displayName, kind, teamId, mention };
}

export function channelView(channel: Channel): ChannelView {
  const { id, name, kind, archived, members } = channel;
  return { id, name, kind, archived, members: [...members] };
}

/** The `users.info` flags that emulate lacks: https://docs.slack.dev/reference/objects/user-object */
export function flagsOf(kind: PersonKind): Readonly<Record<string, boolean>> {
  return {
    deleted: kind === 'deactivated',
    is_bot: kind === 'bot',
    is_restricted: kind === 'guest',
    // True only for single-channel guests; simulated guests can be in several channels.
    is_ultra_restricted: false,
    is_stranger: kind === 'stranger',
    is_app_user: false,
  };
}
