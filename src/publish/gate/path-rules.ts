/** Rules on the names of files, in every spelling that some file system or symlink reads as the same one. */
import type { ChangeSet } from '../../core/change-set.ts';
import { leadsThrough, matchesGlob } from '../../lib/glob.ts';
import type { Find } from './rule.ts';
import { plainPath } from './safe-path.ts';

/** Definitions of CI systems other than GitHub Actions, or symlinks in their place. Lower case. */
export const otherCi = new RegExp(
  `^(?:${[
    String.raw`\.(?:circleci|buildkite|woodpecker|semaphore|teamcity|tekton|harness|builds|azure-pipelines)(?:/.*)?`,
    String.raw`\.(?:gitea|forgejo)(?:/(?:workflows|actions)(?:/.*)?)?`,
    String.raw`\.gitlab(?:/ci(?:/.*)?)?`,
    String.raw`(?:.*/)?(?:[^/]*\.)?jenkinsfile(?:[.-][^/]*)?`,
    String.raw`(?:.*/)?(?:[^/]*\.gitlab-ci|azure-pipelines[^/]*|buildspec|cloudbuild)\.ya?ml`,
    String.raw`\.?(?:appveyor|bitbucket-pipelines|codefresh|wercker)\.ya?ml`,
    String.raw`\.(?:travis|cirrus|build|woodpecker)\.ya?ml`,
    String.raw`\.(?:cirrus\.star|drone\.(?:ya?ml|jsonnet|star))`,
  ].join('|')})$`,
  's',
);

/** What coding agents read as instructions, tools or permissions, or symlinks in its place. Lower case. */
export const agentInstructions = new RegExp(
  `^(?:${[
    String.raw`(?:.*/)?(?:agents?|claude|gemini|qwen|crush|warp|codex|copilot|replit|jules|airules)(?:\.(?:override|local))?\.md`,
    String.raw`(?:.*/)?(?:copilot-instructions|skill|[^/]*\.(?:instructions|prompt|chatmode|agent))\.md`,
    String.raw`(?:.*/)?[^/]*\.mdc`,
    String.raw`(?:.*/)?\.?mcp(?:[._-][^/]*)?\.json`,
    String.raw`(?:.*/)?\.(?:cursor|windsurf|cline|continue|aider|goose|kilocode|augment)[^/]*(?:/.*)?`,
    String.raw`(?:.*/)?\.(?:agents?|codex|claude(?:-plugin)?|gemini|qwen|copilot|ai|aiassistant|junie|kiro|amazonq|opencode|openhands|devin|factory|trae|roo(?:rules[^/]*|modes|ignore)?|crush|codeium|tabnine|zencoder|rovodev|void|firebender|airules|rules|skills|prompts)(?:/.*)?`,
    String.raw`(?:.*/)?\.?(?:opencode|crush|firebender|goose|amp)\.jsonc?`,
    String.raw`(?:.*/)?(?:\.openhands_instructions|\.mentatconfig\.json|\.coderabbit\.ya?ml|\.sweep\.ya?ml|\.pr_agent\.toml)`,
    String.raw`(?:.*/)?\.github/(?:instructions|prompts|chatmodes|agents|skills|copilot)(?:/.*)?`,
    String.raw`(?:.*/)?\.idx/airules\.md`,
  ].join('|')})$`,
  's',
);

/** `pattern` is in lower case, because it sees the plain spellings of a path. */
export function paths(pattern: RegExp): Find {
  return ({ change: { files, links } }) => {
    const linked = spellings(links, (path) => pattern.test(path));
    return files.map(({ path }) => path).filter((path) => linked(plainPath(path)));
  };
}

/** Also a symlink, new or old, in place of a folder above a protected path. */
export const protectedPaths: Find = ({ change: { files, links }, policy }) => {
  const globs = policy.protected.map(plainPath);
  const before = new Set(links.map(({ path }) => path));
  const linked = spellings(links, (path) => globs.some((glob) => matchesGlob(glob, path)));
  const found = files.filter((file) => {
    const path = plainPath(file.path);
    const isLink = before.has(file.path) || (file.type === 'file' && file.mode === '120000');
    return linked(path) || (isLink && globs.some((glob) => leadsThrough(glob, path)));
  });
  return found.map(({ path }) => path);
};

/** Matches a path also as symlinks of the base spell it: with `.claude` → `ai`, `ai/x` is `.claude/x`. */
function spellings(links: ChangeSet['links'], matches: (path: string) => boolean): (path: string) => boolean {
  const known = links.flatMap(({ path, target }) => {
    const to = resolved(path, target);
    return to === null ? [] : [{ name: plainPath(path), to: plainPath(to) }];
  });
  return (path) => {
    const names = new Set([path]);
    // A name that is added is visited too. Bounded, because links can form a circle.
    for (const name of names) {
      if (matches(name)) return true;
      if (names.size > 50) continue;
      for (const link of known)
        if (link.to === '') names.add(`${link.name}/${name}`);
        else if (name === link.to || name.startsWith(`${link.to}/`))
          names.add(`${link.name}${name.slice(link.to.length)}`);
    }
    return false;
  };
}

/** Resolves a link's target against the root of the repository; null if it leads out of it. */
function resolved(path: string, target: string): string | null {
  if (target.startsWith('/')) return null;
  const at = path.split('/').slice(0, -1);
  for (const segment of target.split('/')) {
    if (segment === '..') {
      if (at.pop() === undefined) return null;
    } else if (!stays(segment)) at.push(segment);
  }
  return at.join('/');
}

const stays = (segment: string): boolean => segment === '' || segment === '.';
