/** Checks which rulesets of the named repositories refuse what Airlock does. Without classic protection. */
import * as z from 'zod';
import { namedRepositories, resolveRepository } from '../config/resolve-repository.ts';
import type { AirlockConfig } from '../config/schema.ts';
import type { RepositoryRef } from '../core/task.ts';
import { apiVersionHeader } from '../github/client.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { fail, ok, skip, warn, type Check, type Verdict } from './check.ts';
import type { AppAnswer } from './github-checks.ts';
import { judgeRules, printable, ruleSchema, type RuleProblem } from './judge-rules.ts';
import { withReadToken, type TokenInput } from './read-token.ts';
import { ask } from './service.ts';

/** Repositories that are asked about. The first task in another one finds out. */
const maxRepositories = 24;
const askedAtOnce = 4;
/** For the installation, the token, the repository, the rules, their rulesets, and to revoke the token. */
const requests = 6;
const maxRulesets = 10;

export interface RuleInput extends TokenInput {
  /** Null: it is not valid. */
  readonly config: AirlockConfig | null;
  readonly appOf: () => Promise<AppAnswer>;
}

const rulesetSchema = z.object({
  name: z.string(),
  current_user_can_bypass: z.string().optional(),
});

export function ruleCheck(input: RuleInput): Check {
  const some = input.config === null ? [] : namedRepositories(input.config).slice(0, maxRepositories);
  const rounds = Math.ceil(Math.max(1, some.length) / askedAtOnce);
  return {
    id: 'github.rules',
    deadlineMs: input.timeoutMs * requests * rounds + 1000,
    run: async () => {
      const { config } = input;
      const answer = await input.appOf();
      if (answer.app === null) return skip('github.app first');
      if (config === null) return skip('config first');
      if (some.length === 0) return ok('the configuration names no repository whose rulesets could be read');
      const { app, asApp } = answer;
      const read = await boundedAll(some, askedAtOnce, async (repository) => ({
        name: `${repository.owner}/${repository.name}`,
        problems: await withReadToken(input, asApp, repository, async (token) =>
          problemsIn(input, config, repository, app.slug, token),
        ),
      }));
      return judgeRead(read);
    },
  };
}

type Problem = RuleProblem & { readonly name: string };
interface Read {
  readonly name: string;
  /** A sentence about why they could not be read; null: the App is not installed there. */
  readonly problems: readonly Problem[] | string | null;
}
/** GitHub's words where the plan of a private repository has no rulesets. */
const withoutRulesets = z.object({ message: z.string().regex(/^Upgrade to /) });

async function problemsIn(
  input: RuleInput,
  config: AirlockConfig,
  repository: RepositoryRef,
  slug: string,
  token: string,
): Promise<readonly Problem[] | string> {
  const policy = resolveRepository(config, repository);
  if (!policy.allowed) return [];
  const { owner, name } = repository;
  const at = `${input.apiUrl}/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const headers = { ...apiVersionHeader, authorization: `Bearer ${token}` };
  const branch = `${policy.branchPrefix}change-0a1b2c3d`;
  const path = branch.split('/').map(encodeURIComponent).join('/');
  const asked = await ask(input, `${at}/rules/branches/${path}?per_page=100`, { headers });
  if (!asked.answered) return asked.why;
  // An older GitHub Enterprise Server does not know the address.
  if (asked.status === 404 || withoutRulesets.safeParse(asked.body).success) return [];
  const rules = z.array(ruleSchema).safeParse(asked.body);
  if (asked.status !== 200 || !rules.success) return `GitHub answered ${asked.status}`;
  const found = judgeRules(rules.data, { branch, commit: policy.commit, slug });
  const ids = [...new Set(found.map(({ ruleset }) => ruleset))].slice(0, maxRulesets);
  const rulesets = await boundedAll(ids, askedAtOnce, async (id) => {
    const answer = await ask(input, `${at}/rulesets/${id}`, { headers });
    return [id, answer.answered ? rulesetSchema.safeParse(answer.body).data : undefined] as const;
  });
  const byId = new Map(rulesets);
  return found.flatMap((problem) => {
    const ruleset = byId.get(problem.ruleset);
    if (['always', 'exempt'].includes(ruleset?.current_user_can_bypass ?? '')) return [];
    return [{ ...problem, name: printable(ruleset?.name ?? String(problem.ruleset)) }];
  });
}

const remedy =
  'Let the GitHub App bypass them (Settings → Rules → Rulesets → Bypass list), or change what they demand; `branchPrefix` and `commit` in the configuration name branches and authors.';

function judgeRead(read: readonly Read[]): Verdict {
  const found = read.flatMap(({ name, problems }) =>
    (typeof problems === 'string' ? [] : (problems ?? [])).map((one) => ({
      ...one,
      text: `in ${name} the ruleset “${one.name}” ${one.what}`,
    })),
  );
  const texts = found
    .toSorted((one, other) => one.refuses.localeCompare(other.refuses))
    .map(({ text }) => text);
  if (found.some(({ refuses }) => refuses === 'all')) return fail(texts.join('; '), remedy);
  if (found.length > 0) return warn(`${texts.join('; ')}; all else works`, remedy);
  const unread = read.flatMap(({ name, problems }) =>
    typeof problems === 'string' ? [`${name} (${problems})`] : [],
  );
  if (unread.length > 0)
    return warn(`rulesets could not be read: ${unread.join(', ')}`, 'See githubstatus.com, and ask again.');
  const names = read.flatMap(({ name, problems }) => (problems === null ? [] : [name]));
  return names.length === 0
    ? skip('github.installed first')
    : ok(`no ruleset refuses what Airlock does in ${names.join(', ')}`);
}
