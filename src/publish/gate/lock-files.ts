/** Lock files whose change nobody asked for in the manifest that they belong to. Pure. */
import type { Find } from './rule.ts';

/** Names of lock files → names of the manifests from which a package manager writes them. */
const families: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/,
    /^(?:package\.(?:json5?|yaml)|pnpm-workspace\.yaml|\.yarnrc\.yml|lerna\.json)$/,
  ],
  [/^deno\.lock$/, /^(?:deno\.jsonc?|package\.json|import_map\.json)$/],
  [/^Cargo\.lock$/, /^Cargo\.toml$/],
  [/^go\.(?:sum|work\.sum)$/, /^go\.(?:mod|work)$/],
  [/^(?:poetry|uv|pdm|pixi)\.lock$|^pylock(?:\.[^.]+)?\.toml$/, /^(?:pyproject|uv|pixi)\.toml$/],
  [/^Pipfile\.lock$/, /^Pipfile$/],
  [/^conda-lock\.yml$/, /^environment\.ya?ml$/],
  [/^composer\.lock$/, /^composer\.json$/],
  [/^(?:Gemfile\.lock|gems\.locked)$/, /^(?:Gemfile|gems\.rb|.*\.gemspec)$/],
  [
    /^packages\.lock\.json$/,
    /^(?:.*\.(?:cs|fs|vb)proj|Directory\.(?:Packages|Build)\.(?:props|targets)|packages\.config)$/,
  ],
  [
    /^(?:.*\.lockfile|verification-metadata\.xml)$/,
    /^(?:.*\.gradle(?:\.kts)?|.*\.versions\.toml|gradle\.properties)$/,
  ],
  [/^mix\.lock$/, /^mix\.exs$/],
  [/^rebar\.lock$/, /^rebar\.config$/],
  [/^pubspec\.lock$/, /^pubspec\.yaml$/],
  [/^Podfile\.lock$/, /^Podfile$/],
  [/^Package\.resolved$/, /^Package\.swift$|^project\.pbxproj$/],
  [/^flake\.lock$/, /^flake\.nix$/],
  [/^Chart\.lock$/, /^Chart\.yaml$/],
  [/^\.terraform\.lock\.hcl$/, /\.tf(?:\.json)?$/],
];

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
/** With a slash at its end; empty for the root. Gradle keeps lock files in a folder of its own. */
const folderOf = (path: string): string =>
  path.slice(0, path.lastIndexOf('/') + 1).replace(/(?<=^|\/)gradle\/.*$/, '');

/** The manifest may be in a folder above or below, because one lock file serves a whole workspace. */
export const locksAlone: Find = ({ change: { files } }) => {
  const changed = files.map(({ path }) => ({ folder: folderOf(path), name: nameOf(path) }));
  return files.flatMap(({ path }) => {
    const family = families.find(([lock]) => lock.test(nameOf(path)));
    if (family === undefined) return [];
    const own = folderOf(path);
    const isExplained = changed.some(
      ({ folder, name }) => family[1].test(name) && (folder.startsWith(own) || own.startsWith(folder)),
    );
    return isExplained ? [] : [path];
  });
};
