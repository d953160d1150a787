import { expect, it } from 'vitest';
import { pageAccess, type Viewer } from './page-access.ts';

const ada: Viewer = { kind: 'github', login: 'ada', id: 7 };

it.each([
  ['shows a task to who may read its private repository', ada, { permission: 'read', private: true }, 'look'],
  ['lets who may write act on it', ada, { permission: 'write', private: true }, 'act'],
  ['hides it from who has no access', ada, { permission: 'none', private: true }, 'none'],
  ['hides a public repository’s task from readers', ada, { permission: 'read', private: false }, 'none'],
  ['lets writers of a public repository act', ada, { permission: 'write', private: false }, 'act'],
  ['hides it when GitHub could not be asked', ada, null, 'none'],
  ['lets the operator of the machine act on every task', { kind: 'operator' }, null, 'act'],
] as const)('%s', (_title, viewer, access, expected) => {
  expect(pageAccess(viewer, access)).toBe(expected);
});
