/**
 * Decides whether the bytes of an attachment are handed to Codex, by their content alone: a picture in one of
 * four formats, or plain UTF-8 text. Everything else is refused, SVG and HTML by name: both can hold
 * programs.
 */
import { sizeText } from '../../lib/byte-size.ts';
import { utf8Of } from '../../lib/utf8.ts';
import { attachmentLimits } from '../attachment.ts';
import { imageFormat, readImage, type ImageFacts } from './image.ts';

export type Judgement =
  | { readonly kind: 'image'; readonly image: ImageFacts }
  | { readonly kind: 'text'; readonly text: string }
  /** `why` follows the name: `scan.pdf is neither …`. */
  | { readonly kind: 'refused'; readonly why: string };

const refused = (why: string): Judgement => ({ kind: 'refused', why });

/** `imageBytesLeft`: how many bytes of images still fit into a request to the model. */
export function judgeAttachment(bytes: Uint8Array, imageBytesLeft: number): Judgement {
  if (bytes.length === 0) return refused('is empty');
  if (bytes.length > attachmentLimits.bytes) return refused(tooLarge);
  const format = imageFormat(bytes);
  if (format === null) return judgeText(bytes);
  const image = readImage(bytes, format);
  const what = format === 'png' || format === 'jpeg' ? format.toUpperCase() : format;
  if (image === null) return refused(`is a broken or animated ${what} image`);
  const { width, height, sentBytes } = image;
  if (width * height > attachmentLimits.pixels)
    return refused(
      `has ${grouped(width)} × ${grouped(height)} pixels; at most ${grouped(attachmentLimits.pixels)} pixels are handed over`,
    );
  if (sentBytes > imageBytesLeft)
    return refused(
      `does not fit: a request to the model carries at most ${sizeText(attachmentLimits.imageBytes)} of images`,
    );
  return { kind: 'image', image };
}

export const tooLarge = `is larger than ${sizeText(attachmentLimits.bytes)}`;

/** Bytes as utf-8, without what a terminal or a browser would obey. */
function judgeText(bytes: Uint8Array): Judgement {
  const decoded = utf8Of(bytes);
  const control = decoded === null ? null : controlCharacter.exec(decoded)?.[0];
  // Every other kind of file has one of both.
  if (decoded === null || control === '\0')
    return refused('is neither a PNG, JPEG, GIF or WebP image nor UTF-8 text');
  if (control != null) {
    const code = (control.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return refused(
      `has control characters such as U+${code}, which a terminal obeys; attach it without colors and escape sequences`,
    );
  }
  const text = decoded.replace(/^\uFEFF/, '');
  if (
    /^\s*(?:<!--(?:(?!-->)[^]){0,2000}-->\s*)*<(?:!doctype\s+html|html|head|body|script|style)\b/i.test(text)
  )
    return refused('is an HTML page; attach what matters of it as plain text');
  if (/^\s*<(?:[^]{0,2000}?<)?(?:\w{1,20}:)?svg[\s/>]/i.test(text))
    return refused('is an SVG drawing; attach a screenshot of it as PNG');
  return { kind: 'text', text };
}

/** Not tab, line feed, carriage return and form feed, which logs and sources have. */
const controlCharacter = /(?![\t\n\r\f])\p{Cc}/u;

const grouped = (count: number): string => count.toLocaleString('en');
