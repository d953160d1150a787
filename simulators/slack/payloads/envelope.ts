/** The fields common to all payloads: user, team and app. */
import type { EnvelopedEvent } from '@slack/bolt';
import { randomBytes } from 'node:crypto';
import type { SlackEvent } from '@slack/types';
import type { Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import type { Person } from '../workspace.ts';

/** The common fields of interactions: https://docs.slack.dev/reference/interaction-payloads */
export function actorFields(site: Site, person: Person) {
  return {
    // `team` is the app's workspace, even for a stranger. `user.team_id` is the user's own.
    team: { id: site.workspace.teamId, domain: site.workspace.domain },
    user: { id: person.id, username: person.name, name: person.name, team_id: person.teamId },
    api_app_id: site.workspace.appId,
    token: site.verificationToken,
    is_enterprise_install: false,
  };
}

/** https://docs.slack.dev/apis/events-api#event_payload */
export function eventEnvelope<Event extends SlackEvent>(
  site: Site,
  event: Event,
  extShared: boolean,
): EnvelopedEvent<Event> {
  return {
    token: site.verificationToken,
    team_id: site.workspace.teamId,
    context_team_id: site.workspace.teamId,
    api_app_id: site.workspace.appId,
    event,
    type: 'event_callback',
    event_id: `Ev${randomBytes(5).toString('hex').toUpperCase().slice(0, 9)}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: site.workspace.teamId,
        user_id: site.workspace.bot.id,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: extShared,
    event_context: randomBytes(24).toString('base64url'),
  };
}

/** The current time as in `action_ts` and `event_ts`: seconds since the epoch with six decimals. */
export function timestamp(): string {
  return (Date.now() / 1000).toFixed(6);
}

export function asJson(payload: object): Json {
  return { ...payload };
}
