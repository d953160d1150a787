/** Checks that OpenAI accepts the key and has every model that a task may use. Costs nothing. */
import * as z from 'zod';
import { parseRepositoryRef } from '../core/ids.ts';
import { resolveRepository } from '../config/resolve-repository.ts';
import { builtIn } from '../config/built-in.ts';
import type { AirlockConfig } from '../config/schema.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { fail, ok, once, skip, warn, type Check, type Verdict } from './check.ts';
import { ask, type Asked, type Service } from './service.ts';

export interface OpenaiInput extends Service {
  readonly apiKey: string;
  /** Up to and including `/v1`. */
  readonly baseUrl: string;
  readonly broken: ReadonlyMap<string, string>;
  readonly config: AirlockConfig | null;
}

const askedAtOnce = 4;
/** Models that are checked one by one. For more than that, the first task with one finds out. */
const maxModels = 40;

const modelSchema = z.object({ id: z.string() });
const errorSchema = z.object({
  // Some gateways put the status here, as a number.
  error: z.object({ code: z.union([z.string(), z.number()]).nullish(), message: z.string().nullish() }),
});

export function openaiChecks(input: OpenaiInput): Check[] {
  const answers = once(async () => {
    const models = modelsOf(input.config).slice(0, maxModels);
    return await boundedAll(models, askedAtOnce, async (model) => ({
      model,
      asked: await askFor(input, model),
    }));
  });
  const isBroken = input.broken.has('OPENAI_API_KEY');
  return [
    {
      id: 'openai.key',
      run: async () => {
        if (isBroken) return skip('OPENAI_API_KEY first');
        const [first] = await answers();
        return first === undefined ? skip('no model is configured') : judgeKey(first.asked, input.baseUrl);
      },
    },
    {
      id: 'openai.models',
      run: async () => {
        if (isBroken) return skip('OPENAI_API_KEY first');
        const all = await answers();
        const [first] = all;
        if (first === undefined || judgeKey(first.asked, input.baseUrl).status === 'fail')
          return skip('openai.key first');
        return judgeModels(all);
      },
    },
  ];
}

/** The built-in one where the configuration lists none or is not valid. */
function modelsOf(config: AirlockConfig | null): string[] {
  const models = new Set<string>();
  for (const { pattern, excluded } of config?.repositories ?? []) {
    // Any repository that the pattern matches serves, because only the settings of its own entry matter.
    const example = parseRepositoryRef(pattern.key.replaceAll('*', 'x'));
    if (config === null || excluded || example === null) continue;
    const policy = resolveRepository(config, example);
    if (policy.allowed) for (const model of policy.models) models.add(model);
  }
  return models.size === 0 ? [config?.defaults.model ?? builtIn.model] : [...models];
}

async function askFor(input: OpenaiInput, model: string): Promise<Asked> {
  return await ask(input, `${input.baseUrl}/models/${encodeURIComponent(model)}`, {
    headers: { authorization: `Bearer ${input.apiKey}` },
  });
}

type Answered = Extract<Asked, { answered: true }>;

const errorOf = ({ body }: Answered) => errorSchema.safeParse(body).data?.error ?? null;

/** Unknown, or not allowed for the key's project (403). OpenAI accepted the key itself. */
const isModelMissing = (asked: Answered): boolean =>
  (asked.status === 404 || asked.status === 403) && errorOf(asked)?.code === 'model_not_found';

const isModel = ({ status, body }: Answered): boolean =>
  status === 200 && modelSchema.safeParse(body).success;

/** Accepts only what nothing but OpenAI's API answers: a proxy's page does not count. */
function judgeKey(asked: Asked, baseUrl: string): Verdict {
  if (!asked.answered)
    return fail(
      `OpenAI cannot be reached at ${baseUrl}: ${asked.why}`,
      'Check the network, at status.openai.com and at OPENAI_BASE_URL.',
    );
  if (isModel(asked) || isModelMissing(asked)) return ok('accepted');
  const { status } = asked;
  if (status === 401)
    return fail('OpenAI refuses OPENAI_API_KEY', 'Create a new key on platform.openai.com, and set it.');
  if (status === 429)
    return warn(
      'OpenAI accepts the key, but limits its rate now',
      'Check the limits and the credit of its project.',
    );
  if (status >= 500) return fail(`OpenAI answered ${status}`, 'See status.openai.com, and ask again.');
  const error = errorOf(asked);
  if (error === null)
    return fail(
      `the answer at ${baseUrl} is not from OpenAI’s API (status ${status})`,
      'OPENAI_BASE_URL has to be https://api.openai.com/v1 or a gateway that speaks the same; no proxy may answer in its place.',
    );
  const why = error.message == null ? '' : `: ${error.message.slice(0, 200)}`;
  if (status === 403)
    return fail(
      `OpenAI does not let this key in (403)${why}`,
      'Give the key Models: Read and Responses: Write, check that its project is active and that OpenAI serves the region from which this asks.',
    );
  if (status === 404)
    return fail(
      `there are no models at ${baseUrl} (404)${why}`,
      'OPENAI_BASE_URL has to reach up to and including /v1.',
    );
  return fail(`OpenAI answered ${status}${why}`, 'Check OPENAI_BASE_URL, and ask again.');
}

function judgeModels(answers: readonly { readonly model: string; readonly asked: Asked }[]): Verdict {
  const missing: string[] = [];
  const unknown: string[] = [];
  for (const { model, asked } of answers) {
    if (asked.answered && isModel(asked)) continue;
    if (asked.answered && isModelMissing(asked)) missing.push(model);
    else unknown.push(model);
  }
  if (missing.length > 0)
    return fail(
      `not there for this key: ${missing.join(', ')}`,
      'Correct "model" and "models" in the configuration, or give the key’s project access.',
    );
  if (unknown.length > 0)
    return warn(
      `nobody says whether ${unknown.join(', ')} can be used`,
      'Ask again, or see that a first task works.',
    );
  return ok(answers.map(({ model }) => model).join(', '));
}
