/** Whether the key is taken and every model that a task may use exists for it. Asks for models, and so costs nothing. */
import * as z from 'zod';
import { parseRepositoryRef } from '../core/ids.ts';
import { resolveRepository } from '../config/resolve-repository.ts';
import { builtIn, type AirlockConfig } from '../config/schema.ts';
import { boundedAll } from '../github/bounded.ts';
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
/** A configuration may name many; beyond this the first task with one will tell. */
const maxModels = 40;

const modelSchema = z.object({ id: z.string() });
const errorSchema = z.object({
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }),
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

/** Every model that some task may use; the built-in one where the configuration lists nothing or is not valid. */
function modelsOf(config: AirlockConfig | null): string[] {
  const models = new Set<string>();
  for (const { pattern, excluded } of config?.repositories ?? []) {
    // Any repository that the pattern matches: only its own entry's settings are looked for.
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

const codeOf = (asked: Asked): string =>
  asked.answered ? (errorSchema.safeParse(asked.body).data?.error.code ?? '') : '';

function judgeKey(asked: Asked, baseUrl: string): Verdict {
  if (!asked.answered)
    return fail(
      `OpenAI cannot be reached at ${baseUrl}: ${asked.why}`,
      'Look at the network, at status.openai.com and at OPENAI_BASE_URL.',
    );
  if (asked.status === 401)
    return fail('OpenAI refuses OPENAI_API_KEY', 'Make a new key on platform.openai.com, and set it.');
  if (asked.status === 429)
    return warn(
      'OpenAI takes the key and limits its rate now',
      'Look at the limits and the credit of its project.',
    );
  if (asked.status >= 500)
    return fail(`OpenAI answered ${asked.status}`, 'Look at status.openai.com, and ask again.');
  return ok('taken');
}

function judgeModels(answers: readonly { readonly model: string; readonly asked: Asked }[]): Verdict {
  const missing: string[] = [];
  const unknown: string[] = [];
  for (const { model, asked } of answers) {
    if (asked.answered && asked.status === 200 && modelSchema.safeParse(asked.body).success) continue;
    // A gateway that lists no models, or a key that may not read them, says nothing about the model.
    if (asked.answered && asked.status === 404 && codeOf(asked) === 'model_not_found') missing.push(model);
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
      'Give the key the right to read models, or see that a first task works.',
    );
  return ok(answers.map(({ model }) => model).join(', '));
}
