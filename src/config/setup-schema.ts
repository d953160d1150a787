/** The shape of `setup` in an entry of the configuration. `read-registries.ts` compares its hosts. */
import * as z from 'zod';
import { secretNameProblem } from '../core/registry.ts';
import { checkedText } from './checked-text.ts';
import { hostNameProblem, registryHostProblem } from './host-name.ts';

export const hostName = checkedText(hostNameProblem);
const registryHost = checkedText(registryHostProblem);

/** Names that the handler sets itself, or that change what a request means. */
const reservedHeaders =
  /^(?:accept.*|cache-control|connection|content-.*|cookie|expect|forwarded|host|if-.*|keep-alive|origin|proxy-.*|range|referer|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*|x-http-method.*|x-airlock-.*|cf-.*)$/i;

function pathProblem(path: string): string | null {
  const isPlain = /^(?:\/[\w.~@!$&'()*+,:=-]+)+\/?$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path);
  return isPlain && path.length <= 200
    ? null
    : 'the beginning of a path without escapes, such as "/npm/private/"';
}

function headerProblem(name: string): string | null {
  const isName = /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name) && !reservedHeaders.test(name);
  return isName ? null : 'the name of a header that carries a credential, such as "PRIVATE-TOKEN"';
}

const registrySchema = z
  .strictObject({
    host: registryHost.meta({ description: 'The name of the registry, such as "npm.acme.example".' }),
    scheme: z
      .union(
        [
          z.enum(['bearer', 'basic', 'github-app']),
          z.strictObject({
            header: checkedText(headerProblem).meta({
              description: 'The header that carries the secret alone.',
            }),
          }),
        ],
        { error: '"bearer", "basic", "github-app" or { "header": "PRIVATE-TOKEN" }' },
      )
      .meta({
        description:
          'How the registry takes the credential: "bearer", "basic" (the secret is user:password), a header of its own, or "github-app": a token of the App for GitHub Packages, without a secret.',
      }),
    secret: checkedText(secretNameProblem).optional().meta({
      description:
        'The name of the setting that holds the secret: in the environment or .dev.vars, on Cloudflare a secret of the Worker. Never the secret itself.',
    }),
    pathPrefix: checkedText(pathProblem).optional().meta({
      description:
        'Only what is below this path is opened. Default: everything that a GET of the host reads.',
    }),
    blobHosts: z.array(registryHost).max(10).optional().meta({
      description:
        'Hosts that the registry redirects to, such as a bucket or a CDN. Airlock follows to these alone, without the credential. Default: none.',
    }),
  })
  .meta({ description: 'A private registry.' });
export type RegistrySettings = z.infer<typeof registrySchema>;

export const setupSchema = z
  .strictObject({
    run: z
      .string()
      .trim()
      .min(1)
      .max(2000)
      .meta({ description: 'A shell command that prepares the clone, such as "npm ci".' }),
    hosts: z.array(hostName).max(50).optional().meta({
      description:
        'Hosts that the setup command may read from, with GET and HEAD only. Names without scheme, port, path or pattern; GitHub and OpenAI cannot be listed.',
    }),
    registries: z.array(registrySchema).max(20).optional().meta({
      description:
        'Private registries that the setup command may read from, with GET and HEAD only. Airlock adds the credential outside the sandbox, which never sees it. Default: none.',
    }),
    optional: z.boolean().optional().meta({
      description:
        'true: if the command fails, Codex still runs, and the pull request says so. Default false: the task ends.',
    }),
    services: z.boolean().optional().meta({
      description:
        'true: programs that the command leaves running stay while Codex works, such as a database on 127.0.0.1. Default false: they end before Codex starts.',
    }),
  })
  .meta({
    description:
      'The setup command. It runs before Codex, and its processes end before Codex starts, except with "services".',
  });

export const setupKeys = Object.keys(setupSchema.shape);
export const registryKeys = Object.keys(registrySchema.shape);
