/**
 * Defines the shape of `airlock.config.jsonc` and the descriptions that editors show. `airlock.schema.json`
 * is generated from it. `load-config.ts` checks the values against each other: ties, unique aliases.
 */
import * as z from 'zod';
import type { SlotLimits } from '../core/admission.ts';
import { isBranchName, isBranchPrefix } from '../core/ask/branch-name.ts';
import {
  approvalRules,
  type Budget,
  type ConfiguredGithub,
  type ModelPrice,
  type SlackPolicy,
} from '../core/policy.ts';
import { parseRepositoryRef } from '../core/ids.ts';
import { effortSchema } from '../core/task.ts';
import { builtIn } from './built-in.ts';
import { budgetKeys, budgetSchema, capKeys } from './budget-schema.ts';
import { gateKeys, gateSchema } from './gate-schema.ts';
import { commitKeys, publishKeys } from './publish-schema.ts';
import { sandboxConfigSchema, sandboxKeys } from './sandbox-schema.ts';
import { retentionSchema, slotsSchema } from './queue-schema.ts';
import type { RepositoryPattern } from './repository-pattern.ts';
import { hostName, registryKeys, setupKeys, setupSchema } from './setup-schema.ts';
import { slackAccessKeys, slackAccessSchema, slackKeys, slackSchema } from './slack-schema.ts';

/** Minutes. A Workflow step and a sandbox can both last six hours. */
const maxMinutes = 360;
const maxTokens = 100_000_000;

// The messages complete the sentence "expected …".
const model = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, `the name of a model, such as "${builtIn.model}"`);
const repositoryName = z.string().superRefine((name, context) => {
  if (parseRepositoryRef(name) !== null) return;
  const hint = name.includes('*') ? 'list each repository by its name' : null;
  context.addIssue({
    code: 'custom',
    message: 'the exact name of a repository, such as "acme/design"',
    params: { hint },
  });
});

const limits = z
  .strictObject({
    minutes: z
      .int()
      .min(1)
      .max(maxMinutes)
      .optional()
      .meta({
        description: `Minutes that setup and Codex may take together, 1 to ${maxMinutes}. Setup gets at most half of them. Then the run ends. Default ${builtIn.minutes}.`,
      }),
    tokens: z
      .int()
      .min(1000)
      .max(maxTokens)
      .optional()
      .meta({
        description: `Input plus output tokens of one task. The run ends at this cap. Default ${builtIn.tokens.toLocaleString('en')}.`,
      }),
  })
  .meta({ description: 'Limits at which a run ends, even if it is not finished.' });

const shared = {
  model: model.optional().meta({ description: `The model that Codex uses. Default "${builtIn.model}".` }),
  models: z.array(model).min(1).max(20).optional().meta({
    description: 'Models that `--model` accepts. `model` is always accepted. Default: only `model`.',
  }),
  effort: effortSchema
    .optional()
    .meta({ description: `The reasoning effort of the model. Default "${builtIn.effort}".` }),
  limits: limits.optional(),
  draft: z.boolean().optional().meta({ description: 'Open pull requests as drafts. Default false.' }),
  branchPrefix: z
    .string()
    .refine(
      isBranchPrefix,
      `the start of a branch name, at most 100 bytes, such as "${builtIn.branchPrefix}"`,
    )
    .optional()
    .meta({
      description: `Prefix of the branches that Airlock creates. Default "${builtIn.branchPrefix}".`,
    }),
  ...publishKeys,
  sandbox: sandboxConfigSchema,
  budget: budgetSchema('all tasks of this repository').optional(),
  approval: z
    .enum(approvalRules)
    .optional()
    .meta({
      description: `Who may approve a held change: "anyone" who may use the repository, or with "second-person" nobody who asked for the change. Default "${builtIn.approval}".`,
    }),
  gate: gateSchema.optional(),
  slack: slackAccessSchema.optional(),
};

/** US dollars per million tokens. The bound is far above any price and only catches a wrong unit. */
const dollars = z.number().min(0).max(100_000);
const priceSchema = z
  .strictObject({
    input: dollars.meta({ description: 'US dollars per million input tokens.' }),
    cachedInput: dollars.meta({
      description: 'US dollars per million input tokens served from the cache.',
    }),
    output: dollars.meta({ description: 'US dollars per million output tokens, including reasoning.' }),
  })
  .meta({ description: 'The price of one model.' });

const defaultsSchema = z
  .strictObject(shared)
  .meta({ description: 'Settings for every repository whose own entry does not set them.' });

const repositorySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .meta({ description: 'false: exclude the repositories that this entry matches. Default true.' }),
    aliases: z
      .array(
        z
          .string()
          .regex(/^[a-z0-9](?:[a-z0-9._-]{0,48}[a-z0-9])?$/, 'a short name in lower case, such as "shop"'),
      )
      .max(20)
      .optional()
      .meta({ description: 'Short names for this repository. Not on an entry with "*".' }),
    baseBranch: z.string().refine(isBranchName, 'the name of a branch, such as "main"').optional().meta({
      description:
        "The branch that tasks start from and pull requests target. Default: the repository's default branch.",
    }),
    setup: setupSchema.optional(),
    alsoRead: z.array(repositoryName).max(20).optional().meta({
      description:
        'Other repositories that tasks may fetch, as "owner/name", such as submodules and private packages. The App must be installed on them. Default: none.',
    }),
    lfs: z.boolean().optional().meta({
      description: 'true: fetch Git LFS objects with the clone. Default false: keep their pointers.',
    }),
    extraHosts: z.array(hostName).max(50).optional().meta({
      description:
        'Hosts that may be read from while Codex runs, with GET and HEAD only. A URL can carry data out, so the pull request lists these hosts. Default: none.',
    }),
    ...shared,
  })
  .meta({
    description:
      'Settings for the repositories that this key matches. Entries do not combine: only the most specific one applies.',
  });

const handle = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$/,
    'the name that people write after "@", without the "@" and without "[bot]"',
  );

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'The schema for editors: "./airlock.schema.json".' }),
    github: z
      .strictObject({
        mention: handle.optional().meta({
          description: `The name that people write after "@" to address the bot. Default: the name of the GitHub App.`,
        }),
        label: z
          .string()
          .trim()
          .min(1)
          .max(50)
          .optional()
          .meta({ description: `The label that starts a task on an issue. Default "${builtIn.label}".` }),
      })
      .optional()
      .meta({ description: 'How people address the bot on GitHub.' }),
    slack: slackSchema.optional(),
    prices: z.record(model, priceSchema).optional().meta({
      description: 'Prices by model, for the estimated cost of a task. Default: none, so no cost is shown.',
    }),
    slots: slotsSchema.optional(),
    budget: budgetSchema('all tasks of all repositories together').optional(),
    retention: retentionSchema.optional(),
    defaults: defaultsSchema.optional(),
    repositories: z.record(z.string(), repositorySchema).optional().meta({
      description:
        'The repositories that Airlock may work on, as "owner/name" or with "*" in the name ("acme/*"). Nothing listed means nothing allowed. The most specific key applies: the exact name, then the longest text before the first "*", then the longest text in total. A "!" before the key, or "enabled": false, excludes.',
    }),
  })
  .meta({
    title: 'Airlock configuration',
    description: 'Who may use Airlock, on which repositories, and within which limits.',
  });

type Defaults = z.infer<typeof defaultsSchema>;
export type RepositorySettings = z.infer<typeof repositorySchema>;

export interface RepositoryEntry {
  readonly pattern: RepositoryPattern;
  /** Position in the file, from 0. */
  readonly place: number;
  /** Because of `!` or `enabled: false`. */
  readonly excluded: boolean;
  readonly settings: RepositorySettings;
}

/** The whole configuration after every check. */
export interface AirlockConfig {
  readonly fileName: string;
  readonly github: ConfiguredGithub;
  /** null: Slack is not configured. */
  readonly slack: SlackPolicy | null;
  readonly prices: ReadonlyMap<string, ModelPrice>;
  readonly slots: SlotLimits;
  readonly budget: Budget;
  readonly retentionDays: number;
  readonly defaults: Defaults;
  /** Most specific first, so the first match applies. */
  readonly repositories: readonly RepositoryEntry[];
}

/** Returns the known keys of the object at a path, for the hint on a typo. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  const last = path.at(-1);
  if (last === undefined) return Object.keys(configSchema.shape);
  if (path[0] === 'prices') return Object.keys(priceSchema.shape);
  if (last === 'limits') return Object.keys(limits.shape);
  if (path.length === 1 && last === 'slots') return Object.keys(slotsSchema.shape);
  if (path.length === 1 && last === 'retention') return Object.keys(retentionSchema.shape);
  if (last === 'commit') return commitKeys;
  if (last === 'gate') return gateKeys;
  if (last === 'sandbox') return sandboxKeys;
  if (last === 'budget') return budgetKeys;
  if (last === 'perPerson') return capKeys;
  if (last === 'setup') return setupKeys;
  if (path.at(-2) === 'registries') return registryKeys;
  if (last === 'slack') return path.length === 1 ? slackKeys : slackAccessKeys;
  if (path.length === 1 && last === 'github') return Object.keys(configSchema.shape.github.unwrap().shape);
  if (path.length === 1 && last === 'defaults') return Object.keys(defaultsSchema.shape);
  return path.length === 2 && path[0] === 'repositories' ? Object.keys(repositorySchema.shape) : [];
}
