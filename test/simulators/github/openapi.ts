/** Validates REST answers and webhook payloads against GitHub's OpenAPI description. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { z } from 'zod';

const location = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');

const reference = z.object({ $ref: z.string() });
const response = z.looseObject({
  content: z.record(z.string(), z.looseObject({ schema: z.unknown() })).optional(),
});
const operation = z.looseObject({ responses: z.record(z.string(), z.union([reference, response])) });
const webhook = z.looseObject({ post: z.looseObject({ requestBody: response }) });
const description = z
  .looseObject({
    paths: z.record(z.string(), z.record(z.string(), z.unknown())),
    'x-webhooks': z.record(z.string(), webhook),
    components: z.looseObject({ responses: z.record(z.string(), response) }),
  })
  .parse(JSON.parse(readFileSync(location, 'utf8')));

// Compiled to run a few times: short code is cheaper than fast code.
const ajv = new Ajv({
  strict: false,
  allErrors: false,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
});
addFormats(ajv);
ajv.addSchema(
  { components: z.record(z.string(), z.unknown()).parse(asJsonSchema(description.components)) },
  'github',
);

/** OpenAPI 3.0's `nullable`, which ajv ignores next to a combination or an enum. */
function asJsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asJsonSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => [key, asJsonSchema(value)]);
  const { nullable, ...others }: Record<string, unknown> = Object.fromEntries(entries);
  return nullable === true ? { anyOf: [{ type: 'null' }, others] } : Object.fromEntries(entries);
}

/** Makes references within the description absolute, so that a part of it compiles on its own. */
function absolute(schema: unknown): unknown {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"github#/');
  return asJsonSchema(JSON.parse(text));
}

const compiled = new Map<string, ValidateFunction>();
function violation(key: string, schema: unknown, value: unknown): string | null {
  const validate =
    compiled.get(key) ?? ajv.compile(z.record(z.string(), z.unknown()).parse(absolute(schema)));
  compiled.set(key, validate);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

/** Most fixed segments first: `/issues/comments/1` is not `/issues/{issue_number}`. */
const templates = Object.keys(description.paths)
  .map((template) => ({
    template,
    parameters: template.split('{').length,
    pattern: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '([^/]+)').replaceAll('.', '\\.')}$`),
    // These parameters can contain slashes.
    loose: new RegExp(
      `^${template.replaceAll(/\{(?:ref|branch|basehead)\}$/g, '(.+)').replaceAll(/\{[^}]+\}/g, '([^/]+)')}$`,
    ),
  }))
  .sort((one, other) => one.parameters - other.parameters);

/** An installation's account is a user *or* an enterprise (`anyOf`) everywhere but in this list. */
const corrected: Readonly<Record<string, unknown>> = {
  'GET /app/installations 200': { type: 'array', items: { $ref: '#/components/schemas/installation' } },
};

/** The validated operations with status, such as `POST /repos/{owner}/{repo}/pulls 201`. */
export const validatedOperations = new Set<string>();

/**
 * The violation, or null. A status that GitHub uses but does not describe for the operation must have
 * GitHub's basic error document.
 */
export function answerViolation(method: string, asked: string, status: number, body: unknown): string | null {
  // The description lacks addresses by id, which answer like addresses by name.
  const path = asked.replace(/^\/repositories\/\d+(?=\/|$)/, '/repos/owner/name');
  const decoded = decodeURIComponent(path);
  const found =
    templates.find(
      (one) =>
        one.pattern.test(path) && description.paths[one.template]?.[method.toLowerCase()] !== undefined,
    ) ??
    templates.find(
      (one) =>
        one.loose.test(decoded) && description.paths[one.template]?.[method.toLowerCase()] !== undefined,
    );
  const responses =
    found === undefined
      ? {}
      : operation.parse(description.paths[found.template]?.[method.toLowerCase()]).responses;
  const key = `${method} ${found?.template ?? '(unknown path)'} ${status}`;
  const described = responses[String(status)];
  if (described === undefined && status < 400) return `${key} is not in GitHub's description`;
  validatedOperations.add(key);
  const resolved = described === undefined ? null : dereference(described);
  const content = resolved?.content;
  const exact = corrected[key] ?? (content?.['application/json'] ?? content?.['text/html'])?.schema;
  // A blob's 422 must match "exactly one" of two error schemas, but the second matches everything. Accept
  // either.
  const schema = status < 400 || exact === undefined ? exact : eitherOf(exact);
  if (schema === undefined && status < 300) return body === null ? null : 'an empty answer was described';
  return (
    violation(key, schema ?? { $ref: '#/components/schemas/basic-error' }, body) ??
    errorViolation(status, body)
  );
}

/** The fields of GitHub's errors, because the error schemas allow nearly everything. */
function errorViolation(status: number, body: unknown): string | null {
  if (status < 400) return null;
  const document = z.looseObject({
    message: z.string().min(1),
    documentation_url: z.url(),
    status: z.literal(String(status)),
  });
  return document.safeParse(body).error?.message ?? null;
}

function dereference(
  described: z.output<typeof reference> | z.output<typeof response>,
): z.output<typeof response> | null {
  const named = reference.safeParse(described);
  if (!named.success) return response.parse(described);
  return description.components.responses[named.data.$ref.split('/').at(-1) ?? ''] ?? null;
}

function eitherOf(schema: unknown): unknown {
  const parsed = z.object({ oneOf: z.array(z.unknown()) }).safeParse(schema);
  return parsed.success ? { anyOf: parsed.data.oneOf } : schema;
}

/** Validates a webhook payload and returns the violation, or null. */
export function payloadViolation(event: string, action: string, payload: unknown): string | null {
  const name = `${event}-${action}`.replaceAll('_', '-');
  const schema = description['x-webhooks'][name]?.post.requestBody.content?.['application/json']?.schema;
  return schema === undefined ? `no description of ${name}` : violation(`webhook ${name}`, schema, payload);
}
