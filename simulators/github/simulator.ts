/**
 * Starts a simulated GitHub: REST, git over HTTP, pages and signed webhooks, on real git repositories. It
 * refuses what GitHub refuses. Not simulated: GraphQL, running workflows.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { callbackify } from 'node:util';
import { listenOnLoopback } from '../../host/listen-on-loopback.ts';
import { publicKey } from './app-jwt.ts';
import type { GithubSimulator, GithubSimulatorOptions, Permissions } from './contract.ts';
import { Faults, RequestLog } from './faults.ts';
import { TokenStore } from './installation-tokens.ts';
import { AppManifests } from './app-manifests.ts';
import * as userActions from './user-actions.ts';
import { addCheckRun, addCommitStatus, checkRunsOf, pressCheckButton } from './check-actions.ts';
import * as pullActions from './pull-actions.ts';
import { Attachments } from './attachments.ts';
import { createJobLogs } from './job-logs.ts';
import { clientIdOf } from './documents/account-document.ts';
import { SignIns } from './sign-ins.ts';
import { createHttpServer } from './server.ts';
import type { Site } from './site.ts';
import { findComment, Store, timestamp } from './store.ts';
import { commentView, issueView, pullViews, reviewCommentView, tokenView } from './views.ts';
import { Webhooks } from './webhooks.ts';

export type { GithubSimulator, GithubSimulatorOptions } from './contract.ts';

const defaultPermissions: Permissions = {
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'read',
  actions: 'read',
  statuses: 'read',
  metadata: 'read',
};

/** Until `changeApp`. */
export const subscribedEvents: readonly string[] = [
  'issue_comment',
  'issues',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
];

/** Rejects if the port is taken, the key is unreadable or the folder is not writable. */
export async function startGithubSimulator(options: GithubSimulatorOptions): Promise<GithubSimulator> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  const store = new Store(stateDir);
  await store.clear();
  const { app } = options;
  const tokens = new TokenStore(app.permissions ?? defaultPermissions);
  const hookId = store.nextId();
  const webhooks = new Webhooks({ ...options.webhook, appId: app.id, hookId });
  const address = { url: '' };
  const botOf = (slug: string) => store.user(`${slug}[bot]`, 'Bot');
  botOf(app.slug);
  const site: Site = {
    get url() {
      return address.url;
    },
    get apiUrl() {
      return `${address.url}/api/v3`;
    },
    store,
    tokens,
    webhooks,
    hourlyLimit: options.hourlyLimit === undefined ? 5000 : options.hourlyLimit,
    logs: createJobLogs(() => address.url),
    attachments: new Attachments(),
    signIns: new SignIns(),
    manifests: new AppManifests(),
    app: {
      id: app.id,
      slug: app.slug,
      key: publicKey(app.publicKeyPem),
      createdAt: timestamp(),
      owner: 'app-owner',
      public: true,
      setupUrl: null,
      events: subscribedEvents,
    },
    get bot() {
      return botOf(site.app.slug);
    },
  };
  const installationOn = (owner: string) => {
    const installation = store.installations.get(owner.toLowerCase());
    if (installation === undefined) throw new Error(`the App is not installed on ${owner}`);
    return installation;
  };
  const faults = new Faults();
  const log = new RequestLog();
  const server = createHttpServer(site, faults, log, options.wire);
  address.url = `http://127.0.0.1:${await listenOnLoopback(server, options.port ?? 0)}`;

  return {
    url: site.url,
    apiUrl: site.apiUrl,
    setWebhookUrl: (url) => webhooks.setUrl(url),
    allowSignIn({ clientSecret, callbackUrl }) {
      Object.assign(site.signIns, { clientSecret, callbackUrl });
      return { clientId: clientIdOf(site), liveTokens: () => [...site.signIns.tokens.keys()] };
    },
    loseWebhooks: (isLost) => webhooks.lose(isLost),
    async createRepository(wanted) {
      const { repository, headSha } = await store.createRepository(wanted);
      return {
        id: repository.id,
        owner: repository.owner.login,
        name: repository.name,
        installationId: store.installationOf(repository)?.id ?? null,
        gitDir: repository.git.gitDir,
        cloneUrl: `${site.url}/${repository.owner.login}/${repository.name}.git`,
        headSha,
      };
    },
    openIssue: (issue) => userActions.openIssue(site, issue),
    commentOnIssue: (comment) => userActions.commentOnIssue(site, comment),
    attach: (file) => `${site.url}${site.attachments.add(userActions.requireRepository(site, file), file)}`,
    redirectUploads: (to) => {
      site.attachments.elsewhere = to;
    },
    editComment: (edit) => userActions.editExistingComment(site, edit),
    labelIssue: (labelling) => userActions.labelIssue(site, labelling),
    renameRepository: (of, newName) => store.rename(userActions.requireRepository(site, of), newName),
    moveBranch: (move) => userActions.moveBranch(site, move),
    requireCheck: (of) => userActions.requireRepository(site, of).requiredChecks.set(of.branch, of.check),
    addRuleset: (ruleset) => userActions.addRuleset(site, ruleset),
    removeRuleset(of) {
      const repository = userActions.requireRepository(site, of);
      repository.rulesets = repository.rulesets.filter(({ id }) => id !== of.id);
    },
    protectBranch: ({ branch, ...of }) =>
      void userActions.addRuleset(site, {
        ...of,
        include: [`refs/heads/${branch}`],
        rules: [{ type: 'pull_request' }],
      }),
    openPull: (pull) => pullActions.openPull(site, pull),
    reviewPull: (review) => pullActions.reviewPull(site, review),
    replyInReview: (reply) => pullActions.replyInReview(site, reply),
    openPullFromFork: (pull) => pullActions.openPullFromFork(site, pull),
    closePull: (of) => pullActions.closePull(site, of),
    lock: (of) => userActions.lock(site, of),
    enableAutoMerge: (of) => pullActions.enableAutoMerge(site, of),
    addCheckRun: (run) => addCheckRun(site, run),
    checkRuns: (of) => checkRunsOf(site, of),
    pressCheckButton: (pressed) => pressCheckButton(site, pressed),
    addCommitStatus: (status) => addCommitStatus(site, status),
    redirectJobLogs: (to) => site.logs.redirectTo(to),
    suspendInstallation: (owner) => {
      installationOn(owner).suspendedAt = timestamp();
    },
    resumeInstallation: (owner) => {
      installationOn(owner).suspendedAt = null;
    },
    changeApp({ permissions, events }) {
      if (permissions !== undefined) tokens.grant(permissions);
      if (events !== undefined) site.app.events = events;
    },
    acceptPermissions: (owner, permissions) => {
      installationOn(owner).accepted = permissions;
    },
    setWebhookSecret: (secret) => webhooks.setSecret(secret),
    ageManifestCodes: (ms) => site.manifests.age(ms),
    deliveries: () => [...webhooks.deliveries()],
    async redeliver(deliveryId) {
      const attempt = await webhooks.redeliver(deliveryId);
      return { status: attempt.status, attempt };
    },
    issue(of) {
      const issue = userActions.requireRepository(site, of).issues.get(of.issue);
      return issue === undefined ? null : issueView(issue);
    },
    pulls: (of) => pullViews(site, of),
    comments: (of) =>
      (userActions.requireRepository(site, of).issues.get(of.issue)?.comments ?? []).map(commentView),
    reviewComments: (of) =>
      (userActions.requireRepository(site, of).issues.get(of.number)?.pull?.reviewComments ?? []).map(
        reviewCommentView,
      ),
    reactions(of) {
      const repository = userActions.requireRepository(site, of);
      const found =
        of.comment === undefined
          ? repository.issues.get(of.issue)?.reactions
          : findComment(repository, of.comment)?.comment.reactions;
      return (found ?? []).map((one) => ({ login: one.user.login, content: one.content }));
    },
    async branches(of) {
      const refs = await userActions.requireRepository(site, of).git.refs('refs/heads/');
      return refs.map(({ ref, sha }) => ({ name: ref.slice('refs/heads/'.length), sha }));
    },
    issuedTokens: () => tokens.all().map(tokenView),
    requests: () => [...log.all()],
    failNext: (fault) => faults.plan(fault),
    async listenTls(contextFor) {
      const secure = createTlsServer({
        ALPNProtocols: ['http/1.1'],
        SNICallback: callbackify(contextFor),
      });
      // Hands the decrypted connection to the same HTTP server, so both addresses serve one site.
      secure.on('secureConnection', (socket) => server.emit('connection', socket));
      server.once('close', () => secure.close());
      return `https://localhost:${await listenOnLoopback(secure, 0)}`;
    },
    async close() {
      await webhooks.close();
      server.closeAllConnections();
      await new Promise<void>((done) => {
        server.close(() => done());
      });
      for (const repository of store.repositories.values()) repository.git.close();
    },
  };
}
