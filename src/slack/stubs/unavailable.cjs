/**
 * Stands in the Worker's bundle for what Bolt loads but only its own servers use: express, raw-body, @slack/socket-mode and
 * @slack/oauth. Without them the bundle is half a megabyte smaller. Whoever does call one is told so.
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
