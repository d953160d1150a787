/**
 * Waits for `/codex here owner/repo` over Socket Mode, so that nobody looks for the id of a channel. What a
 * command asks for counts only when the person at the page confirms it: the workspace can type it too.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { startSlackSocket, type SlackSocket } from '../../host/slack-socket.ts';
import { parseRepositoryRef } from '../../src/core/ids.ts';
import { slackChannelIdSchema, slackUserIdSchema, type RepositoryRef } from '../../src/core/task.ts';
import { verifySignature } from '../../src/slack/signature.ts';

export interface ChannelRequest {
  readonly channelId: string;
  /** Slack's names, for display. */
  readonly channel: string;
  readonly person: string;
  readonly repository: RepositoryRef;
}

const commandSchema = z.object({
  team_id: z.string(),
  text: z.string(),
  user_id: slackUserIdSchema,
  user_name: z.string().default(''),
  channel_id: slackChannelIdSchema,
  channel_name: z.string().default(''),
});
const maxWaiting = 20;

export class SlackChannel {
  private readonly signingSecret = randomBytes(32).toString('hex');
  private readonly requests: ChannelRequest[] = [];
  private socket: Promise<SlackSocket> | null = null;

  /** Connects once. Rejects, for people, if Slack refuses. `url`: where `receive` is served. */
  async listen(connection: {
    readonly appToken: string;
    readonly apiUrl: string;
    readonly url: string;
  }): Promise<void> {
    this.socket ??= startSlackSocket({
      ...connection,
      signingSecret: this.signingSecret,
      log: () => undefined,
    });
    try {
      await this.socket;
    } catch (error) {
      this.socket = null;
      throw error;
    }
  }

  /** Newest first. */
  waiting(): readonly ChannelRequest[] {
    return this.requests;
  }

  /** Answers what the socket posts: a signed slash command, or anything else that only is acknowledged. */
  async receive(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const verdict = await verifySignature({
      secret: this.signingSecret,
      timestamp: request.headers.get('x-slack-request-timestamp'),
      signature: request.headers.get('x-slack-signature'),
      body,
      now: new Date(),
    });
    if (verdict !== 'signed') return new Response(verdict, { status: 401 });
    const form = new URLSearchParams(new TextDecoder().decode(body));
    const command = commandSchema.safeParse(Object.fromEntries(form));
    if (!command.success) return new Response('');
    return Response.json({ response_type: 'ephemeral', text: this.take(command.data) });
  }

  /** One bot with an app token may be connected at a time. */
  async stop(): Promise<void> {
    const { socket } = this;
    this.socket = null;
    await (await socket?.catch(() => null))?.stop();
  }

  private take(command: z.infer<typeof commandSchema>): string {
    const [, named = ''] = /^\s*here\s+(\S+)\s*$/i.exec(command.text) ?? [];
    const repository = parseRepositoryRef(named);
    if (repository === null)
      return 'Airlock is being set up here. Write `/codex here owner/repo` to choose this channel’s repository.';
    const { channel_id: channelId, channel_name: channel, user_name: person } = command;
    const others = this.requests.filter((one) => one.channelId !== channelId).slice(0, maxWaiting - 1);
    this.requests.splice(0, this.requests.length, { channelId, channel, person, repository }, ...others);
    return 'Now confirm it on the page on which you set up Airlock.';
  }
}
