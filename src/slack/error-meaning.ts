/**
 * What each error code of Slack's Web API means, for every method that Airlock calls: one table in place of a
 * decision per call. Pure. From the lists of errors at https://docs.slack.dev/reference/methods
 *
 * | meaning       | what follows                                                                             |
 * | ------------- | ---------------------------------------------------------------------------------------- |
 * | `transient`   | a later attempt can succeed                                                              |
 * | `limited`     | the same, after the time that Slack names                                                |
 * | `closed`      | the channel or thread permanently takes no message of ours: the requester gets it directly |
 * | `uneditable`  | the message is gone or cannot be edited: one new message replaces it at the end          |
 * | `content`     | Slack does not take this text or these blocks: a shorter message                         |
 * | `gone`        | the user, group, cursor or trigger is unknown or too old                                 |
 * | `done`        | nothing was left to do                                                                   |
 * | `ours`        | the token, its scopes, the app's settings or our request: somebody has to mend it        |
 *
 * Any other code, such as one of next year, is a final refusal: `refused`.
 */
import type { Meaning } from '../core/ports/upstream-error.ts';
import { reasonOf } from '../core/reason.ts';

const codes = {
  transient: `fatal_error internal_error request_timeout service_unavailable team_added_to_org
    org_login_required external_channel_migrating update_failed streaming_state_conflict
    list_record_comment_fetch_failed invalid_response`,
  limited: `ratelimited rate_limited message_limit_exceeded`,
  closed: `cannot_reply_to_message channel_is_limited_access channel_not_found ekm_access_denied is_archived
    is_inactive messages_tab_disabled method_not_supported_for_channel_type not_in_channel restricted_action
    restricted_action_non_threadable_channel restricted_action_read_only_channel
    restricted_action_thread_locked restricted_action_thread_only_channel
    slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked
    slack_connect_lists_sharing_blocked team_access_not_granted thread_locked thread_not_found
    user_not_in_channel`,
  uneditable: `cant_broadcast_message cant_delete_message cant_update_message edit_window_closed
    message_not_found no_dual_broadcast_content_update`,
  content: `attachment_payload_limit_exceeded block_mismatch invalid_attachments invalid_blocks
    invalid_blocks_format invalid_metadata_format invalid_metadata_schema markdown_text_conflict
    metadata_must_be_sent_from_app metadata_too_large msg_blocks_too_long msg_too_long no_text
    too_many_attachments too_many_contact_cards`,
  gone: `bad_timestamp exchanged_trigger_id expired_trigger_id invalid_cursor invalid_trigger_id
    no_such_subteam not_enough_users user_disabled user_not_found user_not_visible users_not_found`,
  done: `already_reacted no_reaction`,
  ours: `access_denied not_authorized accesslimited account_inactive app_access_restricted as_user_not_supported
    deprecated_endpoint duplicate_external_id enterprise_is_restricted invalid_arg_name invalid_arguments
    invalid_array_arg invalid_auth invalid_charset invalid_form_data invalid_name invalid_post_type
    invalid_ts_latest invalid_ts_oldest is_bot method_deprecated missing_post_type missing_scope
    no_item_specified no_permission not_allowed_token_type not_authed plan_upgrade_required team_not_found
    token_expired token_revoked too_many_users two_factor_setup_required unknown_method
    users_list_not_supplied view_too_large`,
} as const;

export type SlackMeaning = keyof typeof codes | 'refused';

const meanings = new Map<string, SlackMeaning>();
for (const meaning of [
  'transient',
  'limited',
  'closed',
  'uneditable',
  'content',
  'gone',
  'done',
  'ours',
] as const)
  for (const code of codes[meaning].split(/\s+/)) meanings.set(code, meaning);

export const meaningOfCode = (code: string): SlackMeaning => meanings.get(code) ?? 'refused';

/** What the refusal of a call means for a task. */
export function taskMeaningOf(method: string, code: string): Meaning {
  const meaning = meaningOfCode(code);
  const said = { method, code };
  switch (meaning) {
    case 'transient':
    case 'limited':
      return { kind: 'transient', waitMs: null, reason: reasonOf('slack-refused.transient', said) };
    case 'ours':
      return { kind: 'ours', reason: reasonOf('slack-refused.ours', said) };
    case 'gone':
    case 'uneditable':
    case 'done':
      return { kind: 'gone', reason: reasonOf('slack-refused.gone', said) };
    case 'closed':
      return { kind: 'refused', reason: reasonOf('slack-refused.closed', said) };
    case 'content':
    case 'refused':
      return { kind: 'refused', reason: reasonOf('slack-refused', said) };
  }
}
