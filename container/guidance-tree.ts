/** Finds the guidance for agents in a commit: what Codex 0.171.0 reads, also through symlinks. Pure. */
import type { IndexEntry } from './index-changes.ts';

/** The files of a commit by path, as byte strings. */
export type Tree = ReadonlyMap<string, IndexEntry>;

const documents = /^agents(?:\.override)?\.md$/i;
/** Settings, skills, rules and prompts; a plugin's manifest gives skills their names. */
const folders = /^\.(?:codex|agents|(?:codex|claude|cursor)-plugin)$/i;
const maxDepth = 10;
const maxFiles = 5_000;

export function isGuidance(path: string): boolean {
  const parts = path.split('/');
  return documents.test(parts.at(-1) ?? '') || parts.some((part) => folders.test(part));
}

/**
 * The guidance as Codex reads it: for a symlink, the file or the files that it leads to. `targetOf` reads a
 * symlink; one that leads out of the repository, nowhere or in a circle has no files.
 */
export function guidanceIn(tree: Tree, targetOf: (entry: IndexEntry) => string): Tree {
  const found = new Map<string, IndexEntry>();
  const add = (path: string, real: string, depth: number): void => {
    if (found.size >= maxFiles || depth > maxDepth) return;
    const entry = tree.get(real);
    if (entry?.mode === '120000') {
      const target = resolved(tree, joined(real, targetOf(entry)), targetOf);
      if (target !== null) add(path, target, depth + 1);
    } else if (entry !== undefined) {
      if (entry.mode !== '160000') found.set(path, entry);
    } else {
      for (const below of tree.keys())
        if (below.startsWith(`${real}/`)) add(`${path}${below.slice(real.length)}`, below, depth + 1);
    }
  };
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
    if (entry.mode !== '120000') return null;
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
    return one?.object !== other?.object || one?.mode !== other?.mode;
  });
  const away = new Map<string, IndexEntry>();
  for (const [path, entry] of head.tree) {
    if (!isGuidance(path)) continue;
    const isAffected = differing.some(
      (one) => one === path || one.startsWith(`${path}/`) || path.startsWith(`${one}/`),
    );
    if (isAffected) away.set(path, entry);
  }
  const symlinks = [...away].flatMap(([path, { mode }]) => (mode === '120000' ? [`${path}/`] : []));
  const laid = new Map(
    [...base].filter(
      ([path]) =>
        differing.includes(path) || away.has(path) || symlinks.some((folder) => path.startsWith(folder)),
    ),
  );
  return { away, laid };
}
