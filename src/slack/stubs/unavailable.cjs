/**
 * Replaces modules in the Worker’s bundle that libraries import but Airlock never uses: express, raw-body, path-to-regexp,
 * @slack/socket-mode, @slack/oauth, receivers and assistants (Bolt), file uploads and streams (Slack's client), aws4fetch
 * (the sandbox SDK). Saves half a megabyte. Throws when called.
 */
function unavailable() {
  throw new Error('this module is not part of the Worker');
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
