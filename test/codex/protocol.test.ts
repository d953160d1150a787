/** Compares what Airlock reads and answers with the pinned Codex's schemas, so that an upgrade fails here. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { declineOf } from '../../container/codex-connection.ts';
import { unwantedMethods } from '../../container/event-file.ts';
import { notificationSchemas, unreadMethods } from '../../src/codex/event.ts';
import { cleanUp, codexBinary, temporaryFolder } from './driver-harness.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}
const schemaShape: z.ZodType<Schema> = z.any();

let folder = '';
const load = (path: string): Schema =>
  schemaShape.parse(JSON.parse(readFileSync(join(folder, path), 'utf8')));

beforeAll(() => {
  folder = temporaryFolder();
  execFileSync(codexBinary(), ['app-server', 'generate-json-schema', '--experimental', '--out', folder], {
    env: { HOME: folder, CODEX_HOME: folder, PATH: process.env['PATH'] },
    stdio: 'ignore',
    timeout: 120_000,
  });
}, 40_000);
afterAll(cleanUp);

/** Lists all concrete alternatives of a schema, with references and unions resolved. */
function alternatives(schema: Schema, root: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const target = root.definitions?.[schema.$ref.replace('#/definitions/', '')];
    return target === undefined ? [] : alternatives(target, root);
  }
  const merge = (one: Schema, other: Schema): Schema => ({
    ...one,
    ...other,
    properties: { ...one.properties, ...other.properties },
    required: [...(one.required ?? []), ...(other.required ?? [])],
  });
  if (schema.allOf !== undefined) {
    return schema.allOf
      .map((part) => alternatives(part, root))
      .reduce((all, part) => all.flatMap((one) => part.map((other) => merge(one, other))));
  }
  const nested = schema.anyOf ?? schema.oneOf;
  if (nested !== undefined) {
    // Fields next to a union belong to each of its alternatives.
    const own: Schema = { properties: schema.properties ?? {}, required: schema.required ?? [] };
    return nested.flatMap((one) => alternatives(one, root)).map((one) => merge(own, one));
  }
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => ({ ...schema, type }));
  return [schema];
}
const typeOf = (schema: Schema): unknown => schema.type ?? typeof (schema.enum?.[0] ?? schema.const);
const values = (schema: Schema): readonly unknown[] | null =>
  schema.const === undefined ? (schema.enum ?? null) : [schema.const];

/** Values that Codex may send and our schema refuses, unless it is open for more. */
function mismatches(ours: Schema, theirs: Schema, root: Schema, path: string): readonly string[] {
  const own = alternatives(ours, ours);
  return alternatives(theirs, root).flatMap((their): readonly string[] => {
    const tag = their.properties?.['type'];
    const tagValue = tag === undefined ? undefined : values(tag)?.[0];
    const tagged = own.filter((one) => {
      const ownTag = one.properties?.['type'];
      return ownTag !== undefined && values(ownTag)?.includes(tagValue) === true;
    });
    const candidates = tagged.length > 0 ? tagged : own;
    const sameType = candidates.filter(
      (one) => typeOf(one) === typeOf(their) || (typeOf(one) === 'number' && typeOf(their) === 'integer'),
    );
    if (sameType.length === 0) return [`${path}: ${String(typeOf(their))} is not read`];
    const found = sameType.map((one): readonly string[] => {
      const allowed = values(one);
      const sent = values(their);
      if (allowed !== null && sent !== null) {
        return sent
          .filter((value) => !allowed.includes(value))
          .map((value) => `${path}: value ${String(value)}`);
      }
      if (one.items !== undefined) return mismatches(one.items, their.items ?? {}, root, `${path}[]`);
      return Object.entries(one.properties ?? {}).flatMap(([name, property]) => {
        const theirProperty = their.properties?.[name];
        if (theirProperty === undefined) return [`${path}.${name} does not exist`];
        const optional = their.required?.includes(name) !== true && one.required?.includes(name) === true;
        return [
          ...(optional ? [`${path}.${name} may be missing`] : []),
          ...mismatches(property, theirProperty, root, `${path}.${name}`),
        ];
      });
    });
    return found.find((one) => one.length === 0) ?? found[0] ?? [];
  });
}

const methodsOf = (file: string): ReadonlySet<unknown> =>
  new Set((load(file).oneOf ?? []).flatMap((one) => one.properties?.['method']?.enum ?? []));

const notificationFiles = {
  'turn/plan/updated': 'TurnPlanUpdatedNotification',
  'item/started': 'ItemStartedNotification',
  'item/completed': 'ItemCompletedNotification',
  'item/commandExecution/outputDelta': 'CommandExecutionOutputDeltaNotification',
  'turn/completed': 'TurnCompletedNotification',
  error: 'ErrorNotification',
  'thread/started': 'ThreadStartedNotification',
} as const satisfies Record<keyof typeof notificationSchemas, string>;

describe('a notification', () => {
  it.each(Object.entries(notificationFiles))(
    '%s has the fields and types that Airlock reads',
    (method, file) => {
      expect(methodsOf('ServerNotification.json')).toContain(method);
      const ours = Object.entries(notificationSchemas).find(([name]) => name === method)?.[1];
      if (ours === undefined) throw new Error('no schema');
      const theirs = load(`v2/${file}.json`);
      expect(mismatches(schemaShape.parse(z.toJSONSchema(ours)), theirs, theirs, method)).toEqual([]);
    },
  );

  it('fails the comparison with a field of another name', () => {
    const theirs = load('v2/ErrorNotification.json');
    const renamed = schemaShape.parse(
      z.toJSONSchema(z.object({ error: z.object({ text: z.string() }), willRetry: z.string() })),
    );
    expect(mismatches(renamed, theirs, theirs, 'error')).toEqual([
      'error.error.text does not exist',
      'error.willRetry: boolean is not read',
    ]);
  });

  it.each([...unreadMethods, ...unwantedMethods])('%s, which Airlock ignores, exists in Codex', (method) => {
    expect(methodsOf('ServerNotification.json')).toContain(method);
  });
});

describe('a request of Codex to its client', () => {
  const responses: Readonly<Record<string, string>> = {
    'item/commandExecution/requestApproval': 'CommandExecutionRequestApprovalResponse.json',
    'item/fileChange/requestApproval': 'FileChangeRequestApprovalResponse.json',
    'item/permissions/requestApproval': 'PermissionsRequestApprovalResponse.json',
    'item/tool/requestUserInput': 'ToolRequestUserInputResponse.json',
    'item/tool/call': 'DynamicToolCallResponse.json',
    'mcpServer/elicitation/request': 'McpServerElicitationRequestResponse.json',
    applyPatchApproval: 'ApplyPatchApprovalResponse.json',
    execCommandApproval: 'ExecCommandApprovalResponse.json',
  };
  it.each(Object.entries(responses))('%s is declined in a form that Codex accepts', (method, file) => {
    expect(methodsOf('ServerRequest.json')).toContain(method);
    const answer = declineOf(method);
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({ ...load(file) });
    const valid = 'result' in answer && validate(answer.result);
    expect({ valid, errors: validate.errors }).toEqual({ valid: true, errors: null });
    expect(JSON.stringify(answer)).not.toMatch(/"(?:accept|approved|acceptForSession)/);
  });
  it('is refused as unknown if it is another one', () => {
    const others = [...methodsOf('ServerRequest.json')]
      .map(String)
      .filter((method) => !(method in responses));
    expect(others).not.toEqual([]);
    expect(others.map((method) => declineOf(method))).toEqual(
      others.map((method) => ({ error: { code: -32601, message: `not supported: ${method}` } })),
    );
  });
});
