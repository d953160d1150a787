import { expect, it } from 'vitest';
import { stripHiddenCharacters } from './hidden-characters.ts';

it.each([
  ['Persian', 'می\u200Cخواهم', 'می\u200Cخواهم'],
  ['a Persian ending after a Latin word', 'PR\u200Cها', 'PR\u200Cها'],
  ['Hindi', 'क्\u200Dष', 'क्\u200Dष'],
  ['Malayalam', 'ന്\u200Dമ', 'ന്\u200Dമ'],
])('keeps a joiner inside a word of %s', (_, text, kept) => {
  expect(stripHiddenCharacters(text)).toBe(kept);
});

it.each([
  ['a joiner between Latin letters', 'sta\u200Ctus', 'status'],
  ['two joiners in a row', 'می\u200C\u200Dخ', 'میخ'],
  ['a joiner at the end of a word', 'می\u200C خ', 'می خ'],
  ['a joiner between emoji', '👨\u200D👩', '👨👩'],
  ['a zero-width space between Persian letters', 'م\u200Bی', 'می'],
  ['a bidi override', 'م\u202Eی', 'می'],
])('removes %s', (_, text, kept) => {
  expect(stripHiddenCharacters(text)).toBe(kept);
});
