/** `views.*`: adds Slack's limits to emulate, and accepts the trigger ids of the simulator's user actions. */
import { viewProblems } from '../block-limits.ts';
import { withIds } from '../blocks.ts';
import { requireOk } from '../emulator.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from '../json-values.ts';
import { argument, forward, refuse, refuseWithMessages, text, type Method, type Result } from './call.ts';

/** https://docs.slack.dev/reference/methods/views.open: "greater than 250kb". */
const maxViewBytes = 250_000;

type Checked = { readonly ok: true; readonly view: Json } | { readonly ok: false; readonly refusal: Result };

/** A view that breaks a limit is `invalid_arguments` with the reason, unlike a message (`invalid_blocks`). */
export function checkView(view: unknown): Checked {
  if (!isJson(view))
    return { ok: false, refusal: refuseWithMessages('invalid_arguments', ['requireOk provide an object']) };
  if (JSON.stringify(view).length > maxViewBytes) return { ok: false, refusal: refuse('view_too_large') };
  const problems = viewProblems(view);
  if (problems.length > 0)
    return {
      ok: false,
      refusal: refuseWithMessages(
        'invalid_arguments',
        problems.map(({ path, message }) => `${path}: ${message}`),
      ),
    };
  return { ok: true, view: { ...view, blocks: withIds(listOf(view['blocks'])) } };
}

const open: Method = async (call) => {
  const checked = checkView(argument(call, 'view'));
  if (!checked.ok) return checked.refusal;
  const exchanged = call.site.triggers.exchange(text(call, 'trigger_id'));
  if ('error' in exchanged) return refuse(exchanged.error);
  const { person, viewId } = exchanged.trigger;
  if (call.method === 'views.push' && viewId === null) return refuse('not_found');
  // emulate accepts only trigger ids that it generated itself.
  const made = await requireOk(
    call.site.emulated.call(
      'views.generateTriggerId',
      { user_id: person.id, ...(viewId === null ? {} : { view_id: viewId }) },
      'service',
    ),
  );
  const answer = await forward(call, { trigger_id: textOf(made['trigger_id']), view: checked.view });
  if (answer.ok) call.site.forms.add(person, jsonOf(answer['view']));
  return answer;
};

const update: Method = async (call) => {
  const checked = checkView(argument(call, 'view'));
  if (!checked.ok) return checked.refusal;
  const form = call.site.forms.find(text(call, 'view_id'));
  if (form !== null && !form.open) return refuse('not_found');
  const answer = await forward(call, { ...call.args, view: checked.view });
  const view = jsonOf(answer['view']);
  if (answer.ok) call.site.forms.change(textOf(view['id']), view);
  return answer;
};

export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': open,
  'views.push': open,
  'views.update': update,
};
