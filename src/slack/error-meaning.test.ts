import { describe, expect, it } from 'vitest';
import { meaningOfCode, taskMeaningOf, type SlackMeaning } from './error-meaning.ts';

describe('a code of Slack', () => {
  it.each<[SlackMeaning, string, string]>([
    [
      'transient',
      'transient',
      'internal_error fatal_error service_unavailable request_timeout update_failed',
    ],
    ['transient', 'transient', 'team_added_to_org org_login_required external_channel_migrating'],
    ['limited', 'transient', 'ratelimited rate_limited message_limit_exceeded'],
    ['closed', 'refused', 'is_archived not_in_channel channel_not_found is_inactive restricted_action'],
    ['closed', 'refused', 'thread_not_found cannot_reply_to_message restricted_action_thread_locked'],
    ['closed', 'refused', 'messages_tab_disabled user_not_in_channel ekm_access_denied'],
    ['uneditable', 'gone', 'message_not_found cant_update_message edit_window_closed'],
    ['content', 'refused', 'msg_too_long invalid_blocks invalid_blocks_format msg_blocks_too_long no_text'],
    ['gone', 'gone', 'user_not_found user_not_visible no_such_subteam expired_trigger_id user_disabled'],
    ['done', 'gone', 'already_reacted'],
    ['ours', 'ours', 'token_revoked account_inactive invalid_auth missing_scope not_authed token_expired'],
    ['ours', 'ours', 'no_permission access_denied invalid_arguments two_factor_setup_required'],
    ['refused', 'refused', 'a_code_of_next_year'],
  ])('means %s, for a task %s: %s', (meaning, kind, codes) => {
    for (const code of codes.split(' ')) {
      expect([code, meaningOfCode(code)]).toEqual([code, meaning]);
      const { reason, ...rest } = taskMeaningOf('chat.update', code);
      expect([code, rest.kind]).toEqual([code, kind]);
      expect(reason.message).toMatch(new RegExp(`^Slack answered chat.update with ${code}[.:]`));
    }
  });
});
