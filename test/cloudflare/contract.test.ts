/** The Cloudflare adapter through real workerd and the real SDK; container and engine are stand-ins that execute for real. */
import { describeSandboxContract } from '../sandbox/contract.ts';
import { startCloudflareHost } from './cloudflare-host.ts';

describeSandboxContract('the sandbox on Cloudflare', startCloudflareHost);
