/** Defines the parts of `airlock.config.jsonc` about commits and the pull requests that Airlock opens. */
import * as z from 'zod';
import type { Person, RepositoryPolicy } from '../core/policy.ts';

/** One line, with a letter or digit in the name. */
const personPattern =
  /^([^<>\p{C}\u2028\u2029]*[\p{L}\p{N}][^<>\p{C}\u2028\u2029]*) <([^\s<>\p{C}@]+@[^\s<>\p{C}@]+)>$/u;
const person = (meaning: string) =>
  z
    .string()
    .max(200)
    .regex(personPattern, 'a name and an e-mail address, such as "Acme Bot <bot@acme.example>"')
    .optional()
    .meta({ pattern: '^.+ <[^<>@]+@[^<>@]+>$', description: meaning });

/** A login, or a team as its organization and its slug. */
const reviewerPattern =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?(?:\/[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?)?$/;

const commitSchema = z
  .strictObject({
    signOff: person(
      'Adds `Signed-off-by: Name <email>` to every commit, for repositories that demand the Developer Certificate of Origin. Default: none.',
    ),
    author: person(
      'Author and committer of every commit. Then GitHub does not sign it. Default: the GitHub App, and GitHub signs.',
    ),
  })
  .meta({ description: 'How Airlock makes commits.' });

/** The keys of `defaults` and of each repository's entry. */
export const publishKeys = {
  commit: commitSchema.optional(),
  labels: z.array(z.string().trim().min(1).max(50)).max(20).optional().meta({
    description:
      'Labels of the pull requests that Airlock opens. A label that the repository does not have is left out. Default: none.',
  }),
  reviewers: z
    .array(
      z
        .string()
        .regex(reviewerPattern, 'a login such as "mona", or a team such as "acme/frontend", without "@"'),
    )
    .max(10)
    .optional()
    .meta({
      description:
        'Who is asked to review the pull requests that Airlock opens, besides the requester: logins and teams ("org/team"). A team counts only in repositories of its organization. Default: nobody.',
    }),
};

export const commitKeys: readonly string[] = Object.keys(commitSchema.shape);

type Settings = z.infer<z.ZodObject<typeof publishKeys>>;

/** Takes each setting from the entry, then from `defaults`. */
export function publishPolicyOf(
  settings: Settings,
  defaults: Settings,
): Pick<RepositoryPolicy, 'commit' | 'labels' | 'reviewers'> {
  return {
    commit: {
      signOff: personOf(settings.commit?.signOff ?? defaults.commit?.signOff),
      author: personOf(settings.commit?.author ?? defaults.commit?.author),
    },
    labels: unique(settings.labels ?? defaults.labels),
    reviewers: unique(settings.reviewers ?? defaults.reviewers),
  };
}

function personOf(text = ''): Person | null {
  const [, name, email] = personPattern.exec(text) ?? [];
  if (name === undefined || email === undefined) return null;
  // Git drops these around a name, and the sign-off must be equal to the author.
  return { name: name.replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, ''), email };
}

/** GitHub ignores case in labels, logins and teams. */
function unique(names: readonly string[] = []): readonly string[] {
  const folded = names.map((name) => name.toLowerCase());
  return names.filter((_, index) => folded.indexOf(folded[index] ?? '') === index);
}
