/**
 * Starts a simulated Slack workspace: `emulate` holds the state, a Web API in front of it refuses what Slack
 * refuses. Not simulated: canvases, workflows, huddles, uploads, other workspaces' channels.
 */
import { randomBytes } from 'node:crypto';
import * as formActions from './actions/forms.ts';
import * as messageActions from './actions/messages.ts';
import type { SlackSimulator, SlackSimulatorOptions } from './contract.ts';
import { Deliveries } from './deliveries.ts';
import { requireOk, startEmulatedSlack } from './emulator.ts';
import { CallLog, Faults, MessageLimit } from './faults.ts';
import { Forms } from './forms.ts';
import { isTopLevel, Journal, messageView } from './journal.ts';
import { sessionKey } from './methods/sessions.ts';
import { startServer } from './server.ts';
import type { Site } from './site.ts';
import { SocketHub } from './socket-hub.ts';
import { ResponseUrls, Triggers } from './triggers.ts';
import { channelView, userView } from './workspace.ts';

/** Rejects if the port is taken or a name occurs twice. */
export async function startSlackSimulator(options: SlackSimulatorOptions): Promise<SlackSimulator> {
  const emulated = await startEmulatedSlack(options);
  const { workspace } = emulated;
  const socket = new SocketHub(workspace.appId);
  const address = { url: '' };
  const random = (bytes: number): string => randomBytes(bytes).toString('hex');
  const site: Site = {
    get url() {
      return address.url;
    },
    // Assembled from parts, because secret scanners would report a complete token in the source.
    botToken: ['xoxb', '1234567890', '1234567890', random(12)].join('-'),
    appToken: ['xapp', '1', workspace.appId, '1234567890', random(32)].join('-'),
    botScopes: options.botScopes,
    verificationToken: random(12),
    emulated,
    workspace,
    journal: new Journal(),
    forms: new Forms(),
    triggers: new Triggers(),
    responseUrls: new ResponseUrls(),
    sessions: new Map(),
    deliveries: new Deliveries({
      requestUrl: options.requestUrl ?? null,
      signingSecret: options.signingSecret,
      socket: options.deliverTo === 'socket' ? socket : null,
    }),
    socket,
    faults: new Faults(),
    calls: new CallLog(),
    files: new Map(),
    messageLimit: new MessageLimit(),
    token: { revoked: false, shownScopes: options.botScopes },
  };
  const server = await startServer(site, options.port ?? 0, options.wire).catch(async (error: unknown) => {
    await emulated.close();
    throw error;
  });
  address.url = server.url;
  return {
    ...identity(site),
    ...userActions(site),
    ...wireControls(site),
    ...faultControls(site),
    ...stateViews(site),
    close,
  };

  async function close(): Promise<void> {
    socket.close();
    await site.deliveries.close();
    await server.close();
    await emulated.close();
  }
}

function identity(site: Site) {
  const { workspace } = site;
  return {
    url: site.url,
    apiUrl: `${site.url}/api/`,
    botToken: site.botToken,
    appToken: site.appToken,
    teamId: workspace.teamId,
    appId: workspace.appId,
    botUserId: workspace.bot.id,
    user: (name) => userView(workspace.person(name)),
    channel: (name) => channelView(workspace.channel(name)),
    group: (handle) => workspace.group(handle),
    directChannel: (user) => workspace.directChannel(workspace.person(user)).id,
    setRequestUrl: (url) => {
      site.deliveries.requestUrl = url;
    },
  } satisfies Partial<SlackSimulator>;
}

function userActions(site: Site) {
  return {
    slashCommand: (command) => messageActions.typeCommand(site, command),
    say: (message) => messageActions.say(site, message),
    edit: (edit) => messageActions.edit(site, edit),
    delete: (message) => messageActions.remove(site, message),
    react: (reaction) => messageActions.react(site, reaction, true),
    unreact: (reaction) => messageActions.react(site, reaction, false),
    click: (click) => messageActions.click(site, click),
    stopSession: (session) => messageActions.stopSession(site, session),
    messageShortcut: (shortcut) => messageActions.pressShortcut(site, shortcut),
    openForm: (command) => formActions.openForm(site, command),
    choose: (choice) => formActions.choose(site, choice),
    chooseInMessage: (choice) => formActions.chooseInMessage(site, choice),
    submitView: (submission) => formActions.submitView(site, submission),
    closeView: (close) => formActions.closeView(site, close),
  } satisfies Partial<SlackSimulator>;
}

function wireControls(site: Site) {
  const { deliveries, socket } = site;
  return {
    redeliver: (delivery, retry) => deliveries.redeliver(delivery, retry),
    sign: (body, changes) => deliveries.sign(body, changes),
    sendRaw: (body, headers) => deliveries.sendRaw(body, headers),
    socket: {
      connections: () => socket.connections(),
      disconnect: (reason) => socket.disconnect(reason),
      drop: () => socket.drop(),
    },
  } satisfies Partial<SlackSimulator>;
}

function faultControls(site: Site) {
  const { workspace, emulated } = site;
  return {
    failNext: (fault) => site.faults.plan(fault),
    limitMessages: (on) => {
      site.messageLimit.on = on;
    },
    showScopes: (scopes) => {
      site.token.shownScopes = scopes;
    },
    revokeBotToken: () => {
      site.token.revoked = true;
    },
    async archiveChannel(name) {
      const channel = workspace.channel(name);
      const member = [...channel.members].map((id) => workspace.person(id)).at(0) ?? workspace.bot;
      await requireOk(emulated.call('conversations.archive', { channel: channel.id }, member));
      channel.archived = true;
    },
    deleteChannel: (name) => {
      workspace.channel(name).deleted = true;
    },
    async removeBot(name) {
      const channel = workspace.channel(name);
      await requireOk(emulated.call('conversations.leave', { channel: channel.id }, 'service'));
      channel.members.delete(workspace.bot.id);
    },
  } satisfies Partial<SlackSimulator>;
}

function stateViews(site: Site) {
  const { workspace, journal } = site;
  const inChannel = (name: string) => journal.inChannel(workspace.channel(name).id);
  return {
    messages: (channel) => inChannel(channel).filter(isTopLevel).map(messageView),
    thread: (channel, ts) =>
      inChannel(channel)
        .filter((message) => message.ts === ts || message.threadTs === ts)
        .map(messageView),
    message(channel, ts) {
      const found = journal.find(workspace.channel(channel).id, ts);
      return found === null ? null : messageView(found);
    },
    session: (channel, threadTs) =>
      site.sessions.get(sessionKey(workspace.channel(channel).id, threadTs)) ?? null,
    ephemerals: (user) => journal.ephemerals(workspace.person(user).id),
    directMessages: (user) =>
      journal.inChannel(workspace.directChannel(workspace.person(user)).id).map(messageView),
    reactions(channel, ts) {
      const reactions =
        journal.find(workspace.channel(channel).id, ts)?.reactions ?? new Map<string, Set<string>>();
      return [...reactions].map(([name, users]) => ({ name, userIds: [...users] }));
    },
    views: (user) => formActions.openViews(site, user),
    calls: () => site.calls.all(),
    deliveries: () => site.deliveries.all(),
  } satisfies Partial<SlackSimulator>;
}
