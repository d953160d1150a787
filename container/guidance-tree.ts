/** Finds the guidance for agents in a commit: what Codex 0.171.0 reads, also through symlinks. Pure. */
import type { IndexEntry } from './index-changes.ts';

/** The files of a commit by path, as byte strings. */
export type Tree = ReadonlyMap<string, IndexEntry>;

const documents = /^agents(?:\.override)?\.md$/i;
/** Settings, skills, rules and prompts; a plugin's manifest gives skills their names. */
const folders = /^\.(?:codex|agents|(?:codex|claude|cursor)-plugin)$/i;
const maxDepth = 10;
/** More of them could hide one from the comparison. */
const maxFiles = 20_000;
/** A symlink that leads to no file of the commit. */
const symlink = '120000';

export function isGuidance(path: string): boolean {
  const parts = path.split('/');
  return documents.test(parts.at(-1) ?? '') || parts.some((part) => folders.test(part));
}

/**
 * The guidance as Codex reads it: for a symlink, the file or the files that it leads to. `targetOf` reads a
 * symlink. One that leads out of the repository, nowhere or in a circle is found as itself: where it leads is
 * known in the checkout only, and by an absolute path it can lead back in.
 */
export function guidanceIn(tree: Tree, targetOf: (entry: IndexEntry) => string): Tree {
  const found = new Map<string, IndexEntry>();
  const add = (path: string, real: string, depth: number): void => {
    if (found.size >= maxFiles) throw new Error(`a commit has more than ${maxFiles} files of guidance`);
    const entry = tree.get(real);
    if (depth > maxDepth) found.set(path, { mode: symlink, object: '' });
    else if (entry?.mode === symlink) {
      const target = resolved(tree, joined(real, targetOf(entry)), targetOf);
      if (target === null || !leadsSomewhere(target)) found.set(path, entry);
      else add(path, target, depth + 1);
    } else if (entry !== undefined) {
      if (entry.mode !== '160000') found.set(path, entry);
    } else {
      for (const below of tree.keys())
        if (below.startsWith(`${real}/`)) add(`${path}${below.slice(real.length)}`, below, depth + 1);
    }
  };
  const leadsSomewhere = (real: string): boolean =>
    tree.has(real) || [...tree.keys()].some((path) => path.startsWith(`${real}/`));
  for (const path of tree.keys()) if (isGuidance(path)) add(path, path, 0);
  return found;
}

/** Null if it is absolute or leads out of the repository. */
function joined(link: string, target: string): string | null {
  if (target.startsWith('/')) return null;
  const parts = link.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join('/');
}

/** Follows the symlinks among the folders of a path. */
function resolved(
  tree: Tree,
  path: string | null,
  targetOf: (entry: IndexEntry) => string,
  depth = 0,
): string | null {
  if (path === null || path === '' || depth > maxDepth) return null;
  const parts = path.split('/');
  for (let at = 1; at < parts.length; at += 1) {
    const folder = parts.slice(0, at).join('/');
    const entry = tree.get(folder);
    if (entry === undefined) continue;
    if (entry.mode !== symlink) return null;
    const target = joined(folder, targetOf(entry));
    if (target === null) return null;
    const rest = parts.slice(at).join('/');
    return resolved(tree, target === '' ? rest : `${target}/${rest}`, targetOf, depth + 1);
  }
  return path;
}

export interface Replacement {
  /** Entries of the head that make way, symlinks among them. */
  readonly away: Tree;
  /** What is written in their place. */
  readonly laid: Tree;
}

/** What has to be done so that the head's checkout has the base's guidance. */
export function replacementOf(
  head: { readonly tree: Tree; readonly guidance: Tree },
  base: Tree,
): Replacement {
  const differing = [...new Set([...head.guidance.keys(), ...base.keys()])].filter((path) => {
    const [one, other] = [head.guidance.get(path), base.get(path)];
    return one?.object !== other?.object || one?.mode !== other?.mode || one?.mode === symlink;
  });
  const away = new Map<string, IndexEntry>();
  for (const [path, entry] of head.tree) {
    if (!isGuidance(path)) continue;
    const isAffected = differing.some(
      (one) => one === path || one.startsWith(`${path}/`) || path.startsWith(`${one}/`),
    );
    if (isAffected) away.set(path, entry);
  }
  const symlinks = [...away].flatMap(([path, { mode }]) => (mode === symlink ? [`${path}/`] : []));
  const laid = new Map(
    [...base].filter(
      ([path, { mode }]) =>
        mode !== symlink &&
        (differing.includes(path) || away.has(path) || symlinks.some((folder) => path.startsWith(folder))),
    ),
  );
  return { away, laid };
}
