/** Writes the sections about a pull request. Names of files are inside the marks: people choose them. */
import type { LineThread, PullContext } from './pull-context.ts';
import { section } from './section.ts';
import { countText } from '../../lib/count-text.ts';

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Every text that others wrote. */
export function textsOfPull({ baseBranch, headRef, changes, reviews, threads }: PullContext): string[] {
  return [
    baseBranch,
    headRef,
    ...(changes?.commits ?? []).flatMap(({ author, subject }) => [author, subject]),
    ...(changes?.files ?? []).flatMap(({ path, status, patch }) => [path, status, patch ?? '']),
    ...reviews.map(({ text }) => text),
    ...threads.flatMap(({ path, hunk, comments }) => [path, hunk, ...comments.map(({ text }) => text ?? '')]),
  ];
}

/** What the requester's line comments ask for; empty if they ask for nothing. */
export function describeAsking({ threads }: PullContext, boundary: string): string {
  const asking = threads.filter(({ comments }) => comments.some(({ asks }) => asks));
  if (asking.length === 0) return '';
  return [
    'The instruction includes these line comments of the same person. Do what each of them asks for, and reply to each by its id in `replies`:',
    ...asking.map((thread) => describeThread(thread, boundary)),
  ].join('\n\n');
}

/** The rest of the conversation and the change itself. */
export function describePull(pull: PullContext, boundary: string): string[] {
  const parts = pull.reviews.map(({ author, createdAt, text }) =>
    section(boundary, `review by ${author}, ${createdAt}`, text),
  );
  parts.push(
    ...pull.threads
      .filter(({ comments }) => comments.every(({ asks }) => !asks))
      .map((thread) => describeThread(thread, boundary)),
  );
  if (pull.leftOut > 0)
    parts.push(
      `${were(pull.leftOut)} left out: by people without write access or by bots, edited after this was asked for, or too long.`,
    );
  parts.push(...describeChanges(pull, boundary));
  return parts;
}

const were = (count: number): string =>
  `${countText(count, 'review or line comment', 'reviews and line comments')} ${count === 1 ? 'is' : 'are'}`;

function placeOf({ path, line, startLine, side, outdated }: LineThread): string {
  const lines =
    line === null
      ? 'the whole file'
      : startLine === null || startLine === line
        ? `line ${line}`
        : `lines ${startLine} to ${line}`;
  const version = side === 'LEFT' ? ' of the old version' : '';
  return `File: ${oneLine(path)}\nPlace: ${lines}${version}${outdated ? ', of an earlier commit' : ''}`;
}

function describeThread(thread: LineThread, boundary: string): string {
  const comments = thread.comments.map(({ id, asks, author, createdAt, text }) => {
    const reply = asks ? `, id ${id}` : '';
    return `[${author}, ${createdAt}${reply}]\n${text ?? '(Its text is the instruction above.)'}`;
  });
  // Apart: a line of it, by the author of the code, could look like another comment with an id.
  const hunk = thread.hunk === '' ? [] : [section(boundary, 'code that it is on', thread.hunk)];
  return [...hunk, section(boundary, 'line comment', `${placeOf(thread)}\n\n${comments.join('\n\n')}`)].join(
    '\n\n',
  );
}

function describeChanges({ changes, baseBranch, headRef, fork }: PullContext, boundary: string): string[] {
  if (changes === null) return ['GitHub could not compare the pull request with its base: look at the code.'];
  const from = fork ? ' of a fork' : '';
  const earlier = changes.commitsLeftOut === 0 ? [] : [`(${changes.commitsLeftOut} earlier ones)`];
  const commits = changes.commits.map(
    ({ sha, author, subject }) => `${sha.slice(0, 7)} ${subject} (${author})`,
  );
  const list = `From \`${oneLine(headRef)}\`${from} into \`${oneLine(baseBranch)}\`\n\n${[...earlier, ...commits].join('\n')}`;
  const files = changes.files.map(({ path, status, additions, deletions, patch }) => {
    const head = `${status} ${oneLine(path)} +${additions} -${deletions}`;
    return patch === null ? head : `${head}\n${patch}`;
  });
  if (changes.filesLeftOut > 0) files.push(`(${changes.filesLeftOut} more files)`);
  if (changes.mayHaveMoreFiles)
    files.push('(There may be more: GitHub does not list all files of a change this large.)');
  return [
    section(boundary, 'commits of the pull request, oldest first', list),
    section(boundary, 'what the pull request changes against its base', files.join('\n\n')),
  ];
}
