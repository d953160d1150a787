/** Runs the sandbox contract in containers of a deployment, for `npm run doctor -- --url … --deep`. */
import { describe } from 'vitest';
import { deployedSandboxes } from '../../cli/doctor/deployed-sandboxes.ts';
import { describeSandboxContract } from '../sandbox/contract.ts';

const { AIRLOCK_CONTRACT_URL: url = '', AIRLOCK_CONTRACT_TOKEN: apiToken = '' } = process.env;
const notHere = async () => await Promise.reject(new Error('a deployment does not offer this'));

describe.skipIf(url === '')('a deployment', () => {
  describeSandboxContract(
    'its sandbox',
    async () =>
      await Promise.resolve({ ...deployedSandboxes(url, apiToken), takeAway: notHere, grant: notHere }),
    'deployed',
  );
});
