/**
 * Stands in the Worker’s bundle for what libraries load but only parts of them use that we do not: express, raw-body, path-to-regexp,
 * @slack/socket-mode and @slack/oauth (Bolt), aws4fetch (the sandbox SDK). Without them the bundle is half a megabyte smaller. Whoever does call one is told so.
 */
function unavailable() {
  throw new Error('not part of the Worker');
}
module.exports = Object.assign(unavailable, {
  default: unavailable,
  // express
  Router: unavailable,
  application: {},
  // @slack/socket-mode
  SocketModeClient: unavailable,
  // @slack/oauth
  InstallProvider: unavailable,
  FileInstallationStore: unavailable,
  MemoryInstallationStore: unavailable,
});
