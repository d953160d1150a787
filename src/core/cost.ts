/**
 * Estimates what a task cost in US dollars, from the tokens that the egress handler counted outside the
 * sandbox. Answers that reported no usage are not part of it.
 */
import type { TokenUsage } from './grant.ts';
import type { ModelPrice } from './policy.ts';

const perMillion = 1_000_000;

/**
 * Null: there is no price, or the counts are not numbers.
 *
 * OpenAI counts cached input as part of the input (`usage.input_tokens_details.cached_tokens` of the
 * Responses API is "a detailed breakdown of the input tokens"). Reasoning is part of the output.
 */
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
