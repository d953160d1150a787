/** `users.*`, `usergroups.*` and `auth.test`: emulate's answers, corrected to match Slack's. */
import { isJson, listOf, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import { flagsOf } from '../workspace.ts';
import { missingScope, forward, refuse, text, type Method } from './call.ts';

const info: Method = async (call) => {
  const answer = await forward(call);
  const user = answer['user'];
  return answer.ok && isJson(user) ? { ...answer, user: correctUser(call.site, user) } : answer;
};

const list: Method = async (call) => {
  const answer = await forward(call);
  if (!answer.ok) return answer;
  // emulate adds an administrator, who is not in the simulated workspace.
  const known = listOf(answer['members']).filter(
    ({ id }) => call.site.workspace.findPerson(textOf(id)) !== null,
  );
  return { ...answer, members: known.map((user) => correctUser(call.site, user)) };
};

function correctUser(site: Site, user: Json): Json {
  const person = site.workspace.findPerson(textOf(user['id']));
  if (person === null) return user;
  return { ...user, ...flagsOf(person.kind), team_id: person.teamId };
}

/** Members of a user group: https://docs.slack.dev/reference/methods/usergroups.users.list */
const groupMembers: Method = async (call) => {
  const scope = missingScope(call.site, 'usergroups:read');
  if (scope !== null) return await Promise.resolve(scope);
  const users = call.site.workspace.groupMembers(text(call, 'usergroup'));
  return users === null ? refuse('no_such_subteam') : { ok: true, users };
};

const authTest: Method = async (call) => {
  const answer = await forward(call);
  return answer.ok ? { ...answer, url: `${call.site.url}/`, is_enterprise_install: false } : answer;
};

export const peopleMethods: Readonly<Record<string, Method>> = {
  'users.info': info,
  'users.list': list,
  'usergroups.users.list': groupMembers,
  'auth.test': authTest,
};
