import { describe, expect, it } from 'vitest';
import { costUsd, usdText } from './cost.ts';

const price = { input: 2, cachedInput: 0.2, output: 10 };
const usage = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
});

describe('costUsd', () => {
  it.each([
    ['nothing', usage(0, 0, 0), 0],
    ['input alone', usage(1_000_000, 0, 0), 2],
    ['input, half of it from the cache', usage(1_000_000, 500_000, 0), 1.1],
    ['input, all of it from the cache', usage(1_000_000, 1_000_000, 0), 0.2],
    ['output alone', usage(0, 0, 500_000), 5],
    ['an ordinary task', usage(250_000, 200_000, 12_000), 0.26],
    ['more from the cache than there was', usage(1_000_000, 3_000_000, 0), 0.2],
    ['counts below zero', usage(-5, -5, -5), 0],
  ])('prices %s', (_, used, expected) => {
    expect(costUsd(used, price)).toBeCloseTo(expected, 10);
  });
  it('returns null without a price', () => {
    expect(costUsd(usage(1000, 0, 1000), null)).toBeNull();
  });
  it('returns null when the counts are not numbers', () => {
    expect(costUsd(usage(Number.NaN, 0, 0), price)).toBeNull();
    expect(costUsd(usage(Number.POSITIVE_INFINITY, 0, 0), price)).toBeNull();
  });
});

describe('usdText', () => {
  it.each([
    [0, '$0.00'],
    [0.004, 'less than $0.01'],
    [0.01, '$0.01'],
    [0.256, '$0.26'],
    [12, '$12.00'],
    [1234.5, '$1,234.50'],
  ])('writes %d as %s', (usd, text) => {
    expect(usdText(usd)).toBe(text);
  });
});
