/** GitHub's JSON for commits, of the Git Data API and the repository API. */
import { verificationOf } from '../commit-signatures.ts';
import type { CommitObject, Person } from '../git-repository.ts';
import type { Repository, User } from '../store.ts';
import type { Site } from '../site.ts';
import { nodeId, userDocument, type Json } from './account-document.ts';
import { repositoryApiUrl, repositoryPageUrl } from './repository-document.ts';

export function gitCommitDocument(site: Site, repository: Repository, commit: CommitObject): Json {
  const api = repositoryApiUrl(site, repository);
  const page = repositoryPageUrl(site, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', `${repository.id}:${commit.sha}`),
    url: `${api}/git/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/git/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
    verification: verificationOf(commit),
  };
}

export function commitDocument(site: Site, repository: Repository, commit: CommitObject): Json {
  const api = repositoryApiUrl(site, repository);
  const page = repositoryPageUrl(site, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', `${repository.id}:${commit.sha}`),
    commit: {
      author: person(commit.author),
      committer: person(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      url: `${api}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: verificationOf(commit),
    },
    url: `${api}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    author: account(site, commit.author),
    committer: account(site, commit.committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
  };
}

/** The account's noreply address, by which GitHub attributes commits. */
export function noreplyAddress(user: User): string {
  return `${user.id}+${user.login}@users.noreply.github.com`;
}

const person = ({ name, email, date }: Person): Json => ({ name, email, date });

function account(site: Site, { email }: Person): Json | null {
  const login = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
  const user = login === undefined ? null : site.store.findUser(login);
  return user === null ? null : userDocument(site, user);
}
