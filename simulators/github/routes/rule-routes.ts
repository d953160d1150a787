/** The rules that apply to a branch, and their rulesets. Classic branch protection is listed elsewhere. */
import { Hono } from 'hono';
import { notFound } from '../api-errors.ts';
import { nodeId } from '../documents/account-document.ts';
import { repositoryApiUrl, repositoryPageUrl } from '../documents/repository-document.ts';
import { activeRulesets } from '../rulesets.ts';
import { numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';

const read = { anyOf: ['metadata'], level: 'read' } as const;

export function ruleRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  // The branch need not exist. Who asks does not matter: a ruleset says whether they can bypass it.
  api.get('/repos/:owner/:repo/rules/branches/:branch{.+}', (c) => {
    const repository = repositoryOf(c, site, read);
    const source = `${repository.owner.login}/${repository.name}`;
    const rules = activeRulesets(repository, `refs/heads/${c.req.param('branch')}`)
      .filter(({ classic }) => !classic)
      .flatMap(({ id, rules }) =>
        rules.map((rule) => ({
          ...rule,
          ruleset_source_type: 'Repository',
          ruleset_source: source,
          ruleset_id: id,
        })),
      );
    return c.json(pageOf(c, site, rules));
  });

  api.get('/repos/:owner/:repo/rulesets/:ruleset{[0-9]+}', (c) => {
    const repository = repositoryOf(c, site, read);
    const wanted = numberParam(c, 'ruleset');
    const found = repository.rulesets.find(({ id, classic }) => id === wanted && !classic);
    if (found === undefined) throw notFound();
    const { id, title, enforcement, include, exclude, rules, bypass, createdAt } = found;
    return c.json({
      id,
      name: title,
      target: 'branch',
      source_type: 'Repository',
      source: `${repository.owner.login}/${repository.name}`,
      enforcement,
      conditions: { ref_name: { include, exclude } },
      rules,
      node_id: nodeId('RepositoryRuleset', String(id)),
      created_at: createdAt,
      updated_at: createdAt,
      // Without permission to edit the ruleset, who else bypasses it is not shown.
      current_user_can_bypass: bypass,
      _links: {
        self: { href: `${repositoryApiUrl(site, repository)}/rulesets/${id}` },
        html: { href: `${repositoryPageUrl(site, repository)}/rules/${id}` },
      },
    });
  });

  return api;
}
