/**
 * Reads format and size of an image from its first bytes, whatever its name or declared type says, and
 * estimates what Codex makes of it. Nothing is decoded. Measured with Codex 0.171.0: PNG, JPEG and WebP of
 * at most 10,000 patches of 32 × 32 pixels and 6,000 pixels a side reach the model byte for byte. Larger ones
 * are scaled down and encoded again, and of a GIF the first frame is sent as PNG; both can grow.
 */

export type ImageFormat = 'png' | 'jpeg' | 'gif' | 'webp';

export interface ImageFacts {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  /** About as many bytes as Codex sends for it. */
  readonly sentBytes: number;
}

const maxPatches = 10_000;
const maxSide = 6_000;

/** Formats by their magic bytes, as `startsWith` reads them. */
const magic: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ['\u0089PNG\r\n\u001A\n'],
  jpeg: ['\u00FF\u00D8\u00FF'],
  gif: ['GIF87a', 'GIF89a'],
  webp: ['RIFF????WEBP'],
};

interface Size {
  readonly width: number;
  readonly height: number;
  /** How much larger an encoder may make it than it is now. */
  readonly growth: number;
}

/** Null for bytes that are none of the formats. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const formats = ['png', 'jpeg', 'gif', 'webp'] as const;
  return formats.find((format) => magic[format].some((start) => startsWith(bytes, start))) ?? null;
}

/** Null if its size cannot be read. */
export function readImage(bytes: Uint8Array, format: ImageFormat): ImageFacts | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size: Size | null;
  try {
    size = sizeReaders[format](view, bytes);
  } catch {
    // A RangeError: it ends before its size.
    return null;
  }
  if (size === null || size.width < 1 || size.height < 1) return null;
  const { width, height, growth } = size;
  const sentAsItIs = format !== 'gif' && fitsUnscaled(width, height);
  const grown = bytes.length * growth + (width * height) / 32;
  return { format, width, height, sentBytes: Math.ceil(sentAsItIs ? bytes.length : grown) };
}

function fitsUnscaled(width: number, height: number): boolean {
  const patches = Math.ceil(width / 32) * Math.ceil(height / 32);
  return patches <= maxPatches && Math.max(width, height) <= maxSide;
}

/** Whether the bytes from `from` on are these characters; `?` is any byte. */
function startsWith(bytes: Uint8Array, start: string, from = 0): boolean {
  for (let at = 0; at < start.length; at += 1)
    if (start[at] !== '?' && bytes[from + at] !== start.charCodeAt(at)) return false;
  return true;
}

type SizeReader = (view: DataView, bytes: Uint8Array) => Size | null;

const sizeReaders: Readonly<Record<ImageFormat, SizeReader>> = {
  png(view, bytes) {
    if (!startsWith(bytes, '\0\0\0\rIHDR', 8)) return null;
    // With a palette or few bits a pixel it grows more, because Codex writes whole colours.
    const growth = view.getUint8(24) < 8 || view.getUint8(25) === 3 ? 12 : 3;
    return { width: view.getUint32(16), height: view.getUint32(20), growth };
  },

  /** The first frame header. Between markers there can be fill bytes. */
  jpeg(view) {
    for (let at = 2; ;) {
      if (view.getUint8(at) !== 0xff) return null;
      const marker = view.getUint8(at + 1);
      if (marker === 0xff) at += 1;
      else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
      else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
        return { width: view.getUint16(at + 7), height: view.getUint16(at + 5), growth: 2.5 };
      // The image's data, or its end, before any frame header.
      else if (marker === 0xda || marker === 0xd9) return null;
      else at += 2 + view.getUint16(at + 2);
    }
  },

  /** The larger of the screen and its first frame, which a decoder makes room for. */
  gif(view) {
    const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
    let at = 13 + tableBytes(view.getUint8(10));
    while (view.getUint8(at) === 0x21) {
      at += 2;
      while (view.getUint8(at) > 0) at += 1 + view.getUint8(at);
      at += 1;
    }
    if (view.getUint8(at) !== 0x2c) return null;
    const width = Math.max(view.getUint16(6, true), view.getUint16(at + 5, true));
    const height = Math.max(view.getUint16(8, true), view.getUint16(at + 7, true));
    return { width, height, growth: 4 };
  },

  /** The larger of the canvas and the picture in it. An animation is refused: its frames have sizes too. */
  webp(view, bytes) {
    let [width, height] = [0, 0];
    for (let at = 12; ; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2)) {
      if (startsWith(bytes, 'VP8X', at)) {
        if ((view.getUint8(at + 8) & 0x02) !== 0) return null;
        width = 1 + uint24(view, at + 12);
        height = 1 + uint24(view, at + 15);
      } else if (startsWith(bytes, 'VP8 ', at)) {
        if (!startsWith(bytes, '\u009D\u0001*', at + 11)) return null;
        const [own, high] = [view.getUint16(at + 14, true), view.getUint16(at + 16, true)];
        return { width: Math.max(width, own & 0x3fff), height: Math.max(height, high & 0x3fff), growth: 5 };
      } else if (startsWith(bytes, 'VP8L????/', at)) {
        const bits = view.getUint32(at + 9, true);
        return {
          width: Math.max(width, 1 + (bits & 0x3fff)),
          height: Math.max(height, 1 + ((bits >>> 14) & 0x3fff)),
          growth: 5,
        };
      }
    }
  },
};

const uint24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_0000;
