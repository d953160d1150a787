/** Reads how a repository writes its titles and pull requests, as of one commit of its base branch. */
import * as z from 'zod';
import { maxTemplateCharacters, type Conventions } from '../core/ask/conventions.ts';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { subjectsOf } from '../core/ask/title-convention.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { utf8Of } from '../lib/utf8.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { readBlob, readTree, type RepositoryPath, type TreeEntry } from './git-objects.ts';

/** Commits whose subjects are looked at. */
const lastCommits = 50;
/** Where GitHub looks, in its order: the names in lower case, '' for the root. */
const folders = ['.github', '', 'docs'];
const fileName = /^pull_request_template(?:\.[a-z]{1,10})?$/i;
const folderName = /^pull_request_template$/i;

const commitsSchema = z.array(
  z.object({
    commit: z.object({ message: z.string(), author: z.object({ name: z.string() }).nullish() }),
    author: z.object({ type: z.string().optional() }).nullish(),
    parents: z.array(z.unknown()),
  }),
);

export async function readConventions(
  client: GithubClient,
  at: RepositoryPath,
  sha: string,
  wanted: { readonly template: boolean },
): Promise<Conventions> {
  const [commits, template] = await Promise.all([
    client.request('GET /repos/{owner}/{repo}/commits', { ...at, sha, per_page: lastCommits }),
    wanted.template ? readTemplate(client, at, sha) : null,
  ]);
  const subjects = subjectsOf(
    commitsSchema.parse(commits.data).map(({ commit, author, parents }) => ({
      message: commit.message,
      byBot: author?.type === 'Bot' || commit.author?.name.endsWith('[bot]') === true,
      isMerge: parents.length > 1,
    })),
  );
  return { subjects: [...subjects], template };
}

/** A file counts before a folder with one file. null: there is none, or none that fits. */
async function readTemplate(client: GithubClient, at: RepositoryPath, sha: string): Promise<string | null> {
  const root = await entriesOf(client, at, sha);
  const inFolders = await Promise.all(
    folders.map(async (name) => {
      if (name === '') return root;
      const folder = root.find(({ path, type }) => type === 'tree' && path.toLowerCase() === name);
      return folder === undefined ? [] : await entriesOf(client, at, folder.sha);
    }),
  );
  const file =
    inFolders.flat().find((entry) => isFile(entry) && fileName.test(entry.path)) ??
    (await onlyFileIn(
      client,
      at,
      inFolders.flat().find(({ path, type }) => type === 'tree' && folderName.test(path)),
    ));
  if (file === undefined || (file.size ?? 0) > maxTemplateCharacters * 4) return null;
  const bytes = decodeBase64(await readBlob(client, at, file.sha));
  const text = stripHiddenCharacters(utf8Of(bytes) ?? '').trim();
  return text === '' || text.length > maxTemplateCharacters ? null : text;
}

/** Of several templates nobody has chosen one. */
async function onlyFileIn(
  client: GithubClient,
  at: RepositoryPath,
  folder: TreeEntry | undefined,
): Promise<TreeEntry | undefined> {
  if (folder === undefined) return undefined;
  const files = (await entriesOf(client, at, folder.sha)).filter(isFile);
  return files.length === 1 ? files[0] : undefined;
}

/** No symlink and no submodule. */
const isFile = ({ mode }: TreeEntry): boolean => mode === '100644' || mode === '100755';

async function entriesOf(
  client: GithubClient,
  at: RepositoryPath,
  sha: string,
): Promise<readonly TreeEntry[]> {
  return (await unlessMissing(readTree(client, at, sha)))?.tree ?? [];
}
