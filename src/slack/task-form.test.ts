import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { optionsProblems, viewProblems } from '../../simulators/slack/block-limits.ts';
import { formMetadataSchema, type FormMetadata } from './names.ts';
import { repositoryOptions, taskForm } from './task-form.ts';

const metadata: FormMetadata = {
  channelId: 'C1',
  threadTs: '1.2',
  messageTs: null,
  replaces: null,
  options: {},
};
const repository = { owner: 'acme', name: 'shop' };

describe('the form', () => {
  it('is within Slack’s limits, whatever it is prefilled with', () => {
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 6000, size: 'max' }));
    fc.assert(
      fc.property(
        text,
        text,
        fc.boolean(),
        fc.integer({ min: 1, max: 100 }),
        (branch, instruction, replacing, length) => {
          const view = taskForm({
            metadata,
            repository: { owner: 'a'.repeat(39), name: 'n'.repeat(length) },
            branch,
            instruction,
            replacing,
          });
          expect(viewProblems(view)).toEqual([]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('brings back where it belongs', () => {
    const view = taskForm({ metadata, repository: null, branch: null, instruction: null, replacing: false });
    expect(formMetadataSchema.parse(JSON.parse(view.private_metadata ?? ''))).toEqual(metadata);
  });

  it('of an earlier version is still known', () => {
    const { options: _, ...earlier } = metadata;
    expect(formMetadataSchema.parse(earlier)).toEqual(metadata);
  });

  it('carries a branch in its field alone', () => {
    expect(formMetadataSchema.safeParse({ ...metadata, options: { base: 'next' } }).success).toBe(false);
  });

  it('never cuts a character in two', () => {
    const view = taskForm({
      metadata,
      repository: null,
      branch: null,
      instruction: `${'x'.repeat(2999)}😀!`,
      replacing: false,
    });
    expect(view.blocks.at(-1)).toMatchObject({
      hint: { text: expect.stringContaining('last 3 characters') },
      element: { initial_value: 'x'.repeat(2999) },
    });
  });

  it('shows what it is prefilled with', () => {
    const view = taskForm({ metadata, repository, branch: 'next', instruction: 'Fix it', replacing: true });
    expect(view.blocks).toMatchObject([
      { type: 'section' },
      {
        block_id: 'repository',
        element: { type: 'external_select', min_query_length: 0, initial_option: { value: 'acme/shop' } },
      },
      { block_id: 'branch', optional: true, element: { initial_value: 'next' } },
      { block_id: 'instruction', element: { initial_value: 'Fix it', multiline: true } },
    ]);
    expect(view.title.text).toBe('Change the task');
  });
});

describe('the repositories to choose from', () => {
  it('are at most a hundred, in order, by their names', () => {
    const matches = Array.from({ length: 150 }, (_, n) => ({ owner: 'acme', name: `r${n}` }));
    const answer = repositoryOptions(matches);
    expect(answer.options).toHaveLength(100);
    expect(answer.options[1]).toMatchObject({ text: { text: 'acme/r1' }, value: 'acme/r1' });
  });

  it('show a long name cut, and bring it back whole', () => {
    const name = 'n'.repeat(100);
    const answer = repositoryOptions([{ owner: 'a'.repeat(39), name }]);
    expect(optionsProblems(answer)).toEqual([]);
    expect(answer.options[0]?.value).toBe(`${'a'.repeat(39)}/${name}`);
  });

  it('may be none', () => {
    expect(optionsProblems(repositoryOptions([]))).toEqual([]);
  });
});
