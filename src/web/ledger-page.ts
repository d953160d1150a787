/** The pages of `GET /api/tasks` with filters: parses the query, and shapes the rows of the ledger. Pure. */
import * as z from 'zod';
import { ledgerPlaces, ledgerStates, pullStateOf, type LedgerQuery, type LedgerRow } from '../core/ledger.ts';

export const maxPage = 100;
const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((text) => Date.parse(text));

/** The task after which a page begins: when it was accepted, and its id. Empty for the first page. */
export const cursorSchema = z
  .string()
  .regex(/^(?:\d{1,16}\.[a-z0-9][a-z0-9-]{0,62})?$/, 'has to be the `next` of a page')
  .optional();
export const cursorOf = ({ acceptedAt, taskId }: LedgerRow): string => `${acceptedAt}.${taskId}`;
export function afterOf(cursor: z.infer<typeof cursorSchema> = ''): LedgerQuery['after'] {
  const dot = cursor.indexOf('.');
  return dot === -1 ? undefined : { acceptedAt: Number(cursor.slice(0, dot)), taskId: cursor.slice(dot + 1) };
}

/** Of `?state=held&repository=acme/shop&cursor=…`. An empty value is none. */
export const ledgerQuerySchema = z.strictObject({
  state: z.enum(ledgerStates).optional(),
  repository: z.string().max(200).optional(),
  person: z.string().max(200).optional(),
  place: z.enum(ledgerPlaces).optional(),
  search: z.string().max(200).optional(),
  from: instant.optional(),
  until: instant.optional(),
  cursor: cursorSchema,
  limit: z.coerce.number().int().min(1).max(maxPage).default(20),
});

const instantText = z.iso.datetime();
export const ledgerRowSchema = z.strictObject({
  taskId: z.string(),
  shortId: z.string(),
  acceptedAt: instantText,
  endedAt: instantText.nullable(),
  place: z.enum(ledgerPlaces),
  repository: z.string().nullable(),
  requester: z.string().nullable(),
  title: z.string().nullable(),
  issue: z.number().int().nullable(),
  asked: z.enum(['change', 'question', 'fix-checks', 'resolve-conflicts', 'command']),
  state: z.enum(ledgerStates),
  outcome: z.string().nullable(),
  /** The code of its reason. */
  reason: z.string().nullable(),
  tokens: z.number().int(),
  dollars: z.number().nullable(),
  pullRequest: z
    .strictObject({
      number: z.number().int(),
      state: z.enum(['open', 'closed', 'merged']),
      closedAt: instantText.nullable(),
    })
    .nullable(),
  url: z.string(),
});
export type LedgerRowJson = z.infer<typeof ledgerRowSchema>;
export const ledgerPageSchema = z.strictObject({
  tasks: z.array(ledgerRowSchema),
  /** For `cursor`; null on the last page. */
  next: z.string().nullable(),
});

export function ledgerQueryOf({ cursor, ...query }: z.infer<typeof ledgerQuerySchema>): LedgerQuery {
  return { ...query, after: afterOf(cursor) };
}

export function ledgerPage(rows: readonly LedgerRow[], limit: number): z.infer<typeof ledgerPageSchema> {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    tasks: rows.map(ledgerRowJson),
    next: last === undefined ? null : cursorOf(last),
  };
}

const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function ledgerRowJson(row: LedgerRow): LedgerRowJson {
  const { taskId, shortId, place, repository, requester, title, issue, asked, state } = row;
  const { outcome, tokens, dollars } = row;
  return {
    taskId,
    shortId,
    acceptedAt: new Date(row.acceptedAt).toISOString(),
    endedAt: at(row.endedAt),
    place,
    repository,
    requester,
    title,
    issue,
    asked,
    state,
    outcome,
    reason: row.code,
    tokens,
    dollars,
    pullRequest:
      row.pull === null
        ? null
        : {
            number: row.pull,
            state: pullStateOf(row),
            closedAt: at(row.closedAt),
          },
    url: `/api/tasks/${taskId}`,
  };
}
