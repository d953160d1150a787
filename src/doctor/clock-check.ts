/** Compares this clock with GitHub's `Date` header, because tokens and signatures depend on it. */
import { apiVersionHeader } from '../github/client.ts';
import { fail, ok, skip, warn, type Check } from './check.ts';
import { ask, type Service } from './service.ts';

/** Seconds that this clock is ahead, negative when behind; null when no answer had a date. */
export type Clock = number | null;

/** Seconds. App tokens are dated 30 s back, so a clock that is further ahead signs in GitHub's future. */
const wrongS = 25;
/** Seconds: the rounding of `Date`, and the time that the request takes. */
const oddS = 5;

export async function readClock(service: Service & { readonly apiUrl: string; readonly now: () => number }) {
  const before = service.now();
  // Any answer has a date. This request does not count against the rate limit.
  const asked = await ask(service, `${service.apiUrl}/rate_limit`, { headers: apiVersionHeader });
  const after = service.now();
  const date = asked.answered ? Date.parse(asked.headers.get('date') ?? '') : Number.NaN;
  // `Date` is cut to the second, so on average half a second is missing.
  return Number.isNaN(date) ? null : ((before + after) / 2 - (date + 500)) / 1000;
}

export function clockIsWrong(clock: Clock): boolean {
  return clock !== null && Math.abs(clock) > wrongS;
}

export function clockCheck(clock: () => Promise<Clock>): Check {
  return {
    id: 'clock',
    run: async () => {
      const aheadS = await clock();
      if (aheadS === null) return skip('GitHub did not answer with a date');
      const said = `${Math.abs(aheadS).toFixed(0)} s ${aheadS > 0 ? 'ahead of' : 'behind'} GitHub’s`;
      const todo =
        'Synchronize it (timedatectl set-ntp true): GitHub and Slack refuse what is signed at another time.';
      if (clockIsWrong(aheadS)) return fail(`this clock is ${said}`, todo);
      if (Math.abs(aheadS) > oddS) return warn(`this clock is ${said}`, todo);
      return ok('agrees with GitHub’s');
    },
  };
}
