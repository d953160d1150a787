/**
 * The description of the API at `/api/openapi.json`, OpenAPI 3.1, made from the schemas that parse its
 * requests. Loaded when somebody asks for it. `api.test.ts` holds each answer against it. Pure.
 */
import * as z from 'zod';
import { doctorReportSchema } from '../core/finding.ts';
import { openStates } from '../core/open-task.ts';
import { causes } from '../core/reasons.ts';
import { repositoryRefSchema, taskPhases } from '../core/task.ts';
import { doctorAskedSchema, publishSchema, startSchema } from './api-requests.ts';
import { ledgerPageSchema, ledgerQuerySchema } from './ledger-page.ts';

const instant = z.iso.datetime({ offset: true });
const problem = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) });
const outcome = z.looseObject({ kind: z.string() });
const reason = z.strictObject({
  code: z.string(),
  cause: z.string().meta({ enum: Object.keys(causes) }),
  message: z.string(),
  next: z.string(),
});
const taskKeys = {
  taskId: z.string(),
  shortId: z.string(),
  phase: z.enum(taskPhases),
  phaseText: z.string(),
  repository: repositoryRefSchema.nullable(),
  requester: z.string().nullable(),
  acceptedAt: instant,
  instruction: z.string(),
};
const status = z.enum(['accepted', 'running', 'ended']);
const listed = z.strictObject({
  ...taskKeys,
  status,
  endedAt: instant.nullable(),
  outcome: outcome.nullable(),
  url: z.string(),
});
const open = z.strictObject({
  ...taskKeys,
  state: z.enum(openStates),
  queuePosition: z.int().nullable(),
  origin: z.enum(['github', 'slack', 'api']),
  issueNumber: z.int().nullable(),
  url: z.string(),
});
const task = z.looseObject({
  ...taskKeys,
  status,
  endedAt: instant.nullable(),
  elapsedMs: z.number(),
  outcome: outcome.nullable(),
  reason: reason.nullable(),
  usage: z.looseObject({ totalTokens: z.int() }),
  costUsd: z.number().nullable(),
  receipt: z.looseObject({ deniedTotal: z.int() }),
});

const answers = {
  Problem: problem,
  Started: z.strictObject({ taskId: z.string(), created: z.boolean(), url: z.string() }),
  Task: task,
  Tasks: z.union([z.strictObject({ tasks: z.array(z.union([listed, open])) }), ledgerPageSchema]),
  Cancelled: z.strictObject({ cancelled: z.literal(true), reason: z.string() }),
  Published: z.strictObject({ started: z.literal(true) }),
  DoctorReport: doctorReportSchema,
} as const;
const requests = { StartTask: startSchema, Publish: publishSchema, AskDoctor: doctorAskedSchema } as const;

interface Operation {
  readonly summary: string;
  readonly body?: keyof typeof requests;
  readonly query?: z.ZodObject<z.core.$ZodShape>;
  readonly headers?: readonly string[];
  /** Of the answer: a schema, or the content type of what is no JSON. */
  readonly answer: readonly [status: number, is: keyof typeof answers | `${string}/${string}`];
  readonly problems: readonly number[];
}

const listQuery = ledgerQuerySchema.extend({
  state: z.enum(['open', 'waiting', 'running', 'held', 'ended']).optional(),
});
const afterQuery = z.object({ after: z.coerce.number().int().nonnegative().optional() });

const paths: Readonly<Record<string, Readonly<Partial<Record<'get' | 'post', Operation>>>>> = {
  '/api/tasks': {
    get: {
      summary: 'Lists tasks. With a filter or a cursor: a page of the ledger.',
      query: listQuery,
      answer: [200, 'Tasks'],
      problems: [400],
    },
    post: {
      summary: 'Starts a task.',
      body: 'StartTask',
      headers: ['Idempotency-Key'],
      answer: [202, 'Started'],
      problems: [400, 408, 413, 422],
    },
  },
  '/api/tasks/{id}': { get: { summary: 'Shows a task.', answer: [200, 'Task'], problems: [404] } },
  '/api/tasks/{id}/events': {
    get: {
      summary: 'Streams the log of a task.',
      query: afterQuery,
      headers: ['Last-Event-ID'],
      answer: [200, 'text/event-stream'],
      problems: [404],
    },
  },
  '/api/tasks/{id}/change': {
    get: { summary: 'Returns the kept change.', answer: [200, 'application/x-ndjson'], problems: [404] },
  },
  '/api/tasks/{id}/cancel': {
    post: { summary: 'Cancels a task.', answer: [202, 'Cancelled'], problems: [404, 409] },
  },
  '/api/tasks/{id}/publish': {
    post: {
      summary: 'Publishes a kept change again, or approves a held one.',
      body: 'Publish',
      answer: [202, 'Published'],
      problems: [400, 404, 408, 409, 413],
    },
  },
  '/api/doctor': {
    post: {
      summary: 'Examines the setup. Starts a sandbox for it, unless only the version is asked for.',
      body: 'AskDoctor',
      answer: [200, 'DoctorReport'],
      problems: [400, 408, 413],
    },
  },
};

export function openapiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Airlock', version },
    security: [{ token: [] }],
    paths: Object.fromEntries(Object.entries(paths).map(([path, of]) => [path, pathItem(path, of)])),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        ...Object.fromEntries(
          Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema, 'output')]),
        ),
        ...Object.fromEntries(
          Object.entries(requests).map(([name, schema]) => [name, jsonSchema(schema, 'input')]),
        ),
      },
    },
  };
}

function pathItem(path: string, operations: (typeof paths)[string]): object {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  return {
    ...(path.includes('{id}') ? { parameters: [id] } : {}),
    ...Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [method, operationObject(operation)]),
    ),
  };
}

function operationObject({
  summary,
  body,
  query,
  headers = [],
  answer: [status, is],
  problems,
}: Operation): object {
  const json = (name: string) => ({
    'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
  });
  const content = is.includes('/') ? { [is]: { schema: { type: 'string' } } } : json(is);
  const responses: Record<number, object> = { [status]: { description: 'Done.', content } };
  for (const code of [...problems, 401, 403, 500])
    responses[code] = { description: 'A problem.', content: json('Problem') };
  return {
    summary,
    parameters: [
      ...Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
        name,
        in: 'query',
        required: false,
        schema: jsonSchema(schema, 'input'),
      })),
      ...headers.map((name) => ({ name, in: 'header', required: false, schema: { type: 'string' } })),
    ],
    ...(body === undefined ? {} : { requestBody: { required: body === 'StartTask', content: json(body) } }),
    responses,
  };
}

function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
