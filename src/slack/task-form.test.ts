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
  it('stays within Slack’s limits for any initial values', () => {
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

  it('carries its metadata', () => {
    const view = taskForm({ metadata, repository: null, branch: null, instruction: null, replacing: false });
    expect(formMetadataSchema.parse(JSON.parse(view.private_metadata ?? ''))).toEqual(metadata);
  });

  it('is accepted without options in its metadata', () => {
    const { options: _, ...earlier } = metadata;
    expect(formMetadataSchema.parse(earlier)).toEqual(metadata);
  });

  it('accepts no branch in its metadata, because it has a field', () => {
    expect(formMetadataSchema.safeParse({ ...metadata, options: { base: 'next' } }).success).toBe(false);
  });

  it('cuts a long instruction without splitting a character', () => {
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

  it('shows its initial values', () => {
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

describe('repositoryOptions', () => {
  it('lists at most 100 repositories in the given order', () => {
    const matches = Array.from({ length: 150 }, (_, n) => ({ owner: 'acme', name: `r${n}` }));
    const answer = repositoryOptions(matches);
    expect(answer.options).toHaveLength(100);
    expect(answer.options[1]).toMatchObject({ text: { text: 'acme/r1' }, value: 'acme/r1' });
  });

  it('cuts a long name in the text but not in the value', () => {
    const name = 'n'.repeat(100);
    const answer = repositoryOptions([{ owner: 'a'.repeat(39), name }]);
    expect(optionsProblems(answer)).toEqual([]);
    expect(answer.options[0]?.value).toBe(`${'a'.repeat(39)}/${name}`);
  });

  it('accepts an empty list', () => {
    expect(optionsProblems(repositoryOptions([]))).toEqual([]);
  });
});
