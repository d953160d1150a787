/** Sends many signed slash commands of one second at once, as Slack does after an outage. */
import { randomBytes } from 'node:crypto';
import type { SlackSimulator } from '../simulators/slack/contract.ts';

export interface SignedCommand {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}
export interface Acknowledged {
  readonly status: number;
  readonly body: string;
  /** Milliseconds until the whole answer was there. */
  readonly ms: number;
}

/** Fields as in https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
export function signedCommands(
  slack: SlackSimulator,
  count: number,
  text: (index: number) => string,
): SignedCommand[] {
  const user = slack.user('maria');
  const channel = slack.channel('dev');
  const at = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => {
    const body = new URLSearchParams({
      token: 'deprecated',
      team_id: slack.teamId,
      team_domain: 'acme',
      channel_id: channel.id,
      channel_name: channel.name,
      user_id: user.id,
      user_name: user.name,
      command: '/codex',
      text: text(index),
      api_app_id: slack.appId,
      is_enterprise_install: 'false',
      response_url: `${slack.url}/commands/none`,
      trigger_id: `${at}.${index}.${randomBytes(16).toString('hex')}`,
    }).toString();
    return { body, headers: slack.sign(body, { at, contentType: 'application/x-www-form-urlencoded' }) };
  });
}

export async function sendAtOnce(url: string, commands: readonly SignedCommand[]): Promise<Acknowledged[]> {
  return await Promise.all(
    commands.map(async ({ body, headers }) => {
      const startedAt = performance.now();
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers,
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      return { status: response.status, body: text, ms: performance.now() - startedAt };
    }),
  );
}
