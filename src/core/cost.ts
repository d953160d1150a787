/** Estimates a task's cost in US dollars from the tokens that the egress handler counted. */
import type { TokenUsage } from './grant.ts';
import type { ModelPrice } from './policy.ts';

const perMillion = 1_000_000;

/** Null if there is no price or the counts are no numbers. Input includes cached input, output reasoning. */
export function costUsd(usage: TokenUsage, price: ModelPrice | null): number | null {
  if (price === null) return null;
  const input = Math.max(0, usage.inputTokens);
  const cached = Math.min(input, Math.max(0, usage.cachedInputTokens));
  const output = Math.max(0, usage.outputTokens);
  const cost =
    ((input - cached) * price.input + cached * price.cachedInput + output * price.output) / perMillion;
  return Number.isFinite(cost) ? cost : null;
}

/** `$0.42`, `$1,234.50`; `less than $0.01` for what would round to zero, `$0.00` for zero. */
export function usdText(usd: number): string {
  if (usd > 0 && usd < 0.01) return 'less than $0.01';
  const figure = usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `$${figure}`;
}
