/** Allows the one endpoint of OpenAI by the request's head. `openai-body.ts` decides the body. */
import type { Grant } from '../core/grant.ts';
import { mediaType } from './http-rules.ts';
import { egressLimits } from './limits.ts';
import type { RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

export function decideOpenai({ method, header }: RequestHead, url: RequestUrl, grant: Grant): EgressVerdict {
  // 400 everywhere: Codex retries other statuses for up to 25 s, but reports a 400 at once and verbatim.
  const refuse = (rule: string, reason: string) => deny(rule, reason, 400);
  const isModels = url.path === '/v1/models';
  if (url.path !== '/v1/responses' && !isModels)
    return refuse(
      'openai.path',
      `of OpenAI only POST /v1/responses is reachable, not ${url.path.slice(0, 100)}`,
    );
  if (method !== (isModels ? 'GET' : 'POST'))
    return refuse('openai.method', `of OpenAI only POST /v1/responses is reachable, not ${method}`);
  if (url.query !== '') return refuse('openai.query', 'this endpoint takes no query');
  if (grant.phase !== 'run') return refuse('phase.closed', `OpenAI is closed in the ${grant.phase} phase`);
  if (isModels) return modelsOf(grant);
  if (grant.used.tokens >= grant.budgets.tokens)
    return refuse('budget.tokens', `the task's budget of ${grant.budgets.tokens} tokens is used up`);
  if (mediaType(header('content-type')) !== 'application/json')
    return refuse('openai.content-type', 'the request body has to be application/json');
  if ((header('content-encoding') ?? 'identity') !== 'identity')
    return refuse('openai.encoding', 'a compressed request body cannot be inspected');
  if (Number(header('content-length') ?? 0) > egressLimits.openaiBodyBytes)
    return refuse('openai.size', 'the request body is too large');
  return { kind: 'inspect-openai', rule: 'openai.responses' };
}

/** Lists the task's models. Which models our key can use stays hidden from the sandbox. */
function modelsOf({ models }: Grant): EgressVerdict {
  const data = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'openai' }));
  return {
    kind: 'answer',
    rule: 'openai.models',
    contentType: 'application/json',
    body: JSON.stringify({ object: 'list', data }),
  };
}
