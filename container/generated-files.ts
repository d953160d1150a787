/** Recognizes untracked files that nobody means to commit: generated, of one machine, bulk. Latin1 paths. */

const generatedFolder = new RegExp(
  `^(?:${[
    'node_modules|bower_components|jspm_packages|__pycache__|htmlcov|__pypackages__',
    String.raw`\.(?:venv|virtualenv|tox|nox|eggs|direnv|cache|ccache|npm|pnpm-store|bundle|gradle|terraform)`,
    String.raw`\.(?:next|nuxt|svelte-kit|turbo|parcel-cache|angular|vite|nyc_output|dart_tool|stack-work|vs)`,
    String.raw`\.(?:hypothesis|ipynb_checkpoints|pytype|sass-cache|elixir_ls|metals|bloop|fseventsd|Trashes)`,
    String.raw`\.[a-z_]{1,20}_cache|[^/]*\.egg-info|\.Spotlight-V100`,
  ].join('|')})$`,
);
const generatedFile = new RegExp(
  `^(?:${[
    String.raw`\.DS_Store|\._.*|Thumbs\.db|ehthumbs\.db|desktop\.ini|nohup\.out`,
    String.raw`.*\.py[co]|\.coverage(?:\..*)?|.*\.tsbuildinfo|\.(?:eslint|stylelint)cache`,
    String.raw`(?:npm|yarn|pnpm|lerna)-(?:debug|error)\.log.*|\.(?:bash|python|node_repl)_history`,
    String.raw`.*\.sw[op]|.*~|\.#.*|#.*#|.*\.(?:orig|rej)`,
  ].join('|')})$`,
  's',
);
/** Each lies in the top folder of what it marks: a cache (https://bford.info/cachedir/), a Python environment. */
const folderMarks = ['/CACHEDIR.TAG', '/pyvenv.cfg'];
const localSettings =
  /(?:^|\/)(?:\.env|\.env(?:\.[^/]+)?\.local|\.netrc|\.pgpass|\.git-credentials|\.aws\/credentials|\.ssh\/[^/]+)$/;
/** Usual names for what a build writes into an ignored place. */
const ignoredOutput =
  /(?:^|\/)(?:build|dist|out|target|bin|obj|coverage|te?mp|logs?|vendor|deps|reports?|test-results|playwright-report|cmake-build[^/]*|debug|release|\.output|[^/]*\.(?:log|pid|o|a|so|class|db|sqlite3?|zip|gz))\/?$/i;

export const isLocalSettings = (path: string): boolean => localSettings.test(path);
export const isIgnoredOutput = (path: string): boolean =>
  ignoredOutput.test(path) || generatedPart(`${path}x`) !== null || generatedPart(path) !== null;

/** Returns the folder (with a slash at its end) or the file that tools generate; null if there is none. */
export function generatedPart(path: string): string | null {
  const names = path.split('/');
  const file = names.pop() ?? '';
  const at = names.findIndex((name) => generatedFolder.test(name));
  if (at >= 0) return `${names.slice(0, at + 1).join('/')}/`;
  return generatedFile.test(file) ? path : null;
}

/** Returns the folders that contain a mark of a cache or a Python environment. */
export function markedFolders(paths: readonly string[]): readonly string[] {
  const marked = paths.flatMap((path) =>
    folderMarks.filter((mark) => path.endsWith(mark)).map((mark) => path.slice(0, 1 - mark.length)),
  );
  // Bounded, because every path is compared with each of them.
  return marked.slice(0, 100);
}

/** Returns all folders on the way to the paths, each ending with a slash. */
export function foldersOf(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths)
    for (
      let slash = path.lastIndexOf('/');
      slash > 0 && !folders.has(path.slice(0, slash + 1));
      slash = path.lastIndexOf('/', slash - 1)
    )
      folders.add(path.slice(0, slash + 1));
  return folders;
}

/** After so many groups everything new is one. */
const maxBulks = 50;

export interface Bulk {
  /** A folder that ends with a slash, or one file. */
  readonly path: string;
  readonly members: ReadonlySet<string>;
}

/**
 * Chooses what to leave out so that the rest weighs at most `max`: the heaviest new folders first, narrowed
 * down. Files next to tracked ones are single, or with `together` one group.
 */
export function bulkOf(
  fresh: ReadonlyMap<string, number>,
  tracked: ReadonlySet<string>,
  over: number,
  together: boolean,
): readonly Bulk[] {
  const chosen: Bulk[] = [];
  const left = new Map(fresh);
  for (let excess = over; excess > 0 && left.size > 0;) {
    if (chosen.length === maxBulks) return [...chosen, { path: './', members: new Set(left.keys()) }];
    const group = heaviest(left, (path) => newFolder(path, tracked) ?? (together ? parent(path) : path));
    let { path } = group;
    let { members } = group;
    for (;;) {
      const inside = new Map([...members].map((member) => [member, left.get(member) ?? 0]));
      const narrower = heaviest(inside, (member) => childOf(path, member));
      if (tracked.has(path) || !narrower.path.endsWith('/') || narrower.weight < 0.9 * group.weight) break;
      if (narrower.path === path) break;
      ({ path, members } = narrower);
    }
    for (const member of members) {
      excess -= left.get(member) ?? 0;
      left.delete(member);
    }
    chosen.push({ path: path === '' ? './' : path, members });
  }
  return chosen;
}

function heaviest(
  weights: ReadonlyMap<string, number>,
  groupOf: (path: string) => string,
): Bulk & { readonly weight: number } {
  const groups = new Map<string, { weight: number; members: Set<string> }>();
  for (const [path, weight] of weights) {
    const name = groupOf(path);
    const group = groups.get(name) ?? { weight: 0, members: new Set<string>() };
    group.weight += weight;
    group.members.add(path);
    groups.set(name, group);
  }
  let best = { path: '', weight: -1, members: new Set<string>() };
  for (const [path, group] of groups) if (group.weight > best.weight) best = { path, ...group };
  return best;
}

const parent = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** The topmost folder of a path that has no tracked file; null if there is none. */
function newFolder(path: string, tracked: ReadonlySet<string>): string | null {
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    if (!tracked.has(path.slice(0, slash + 1))) return path.slice(0, slash + 1);
  return null;
}

/** The entry of a folder that leads to a path: a subfolder with a slash, or the path. */
function childOf(folder: string, path: string): string {
  const slash = path.indexOf('/', folder.length);
  return slash < 0 ? path : path.slice(0, slash + 1);
}
