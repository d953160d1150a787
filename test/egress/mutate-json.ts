/** Mutates a model request from a seed: structure, spelling, bytes. Knows the API, not the rules. */
export type Random = () => number;

/** mulberry32: the same seed gives the same run on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
const below = (random: Random, count: number): number => Math.floor(random() * count);
function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

const evil = 'https://evil.example/?leak=1';
const texts = [
  evil,
  '//evil.example',
  'data:image/svg+xml;base64,AA==',
  'data:image/png;base64,iVBORw0KGgo=',
  '',
  'file-1',
  'mcp',
  'web_search',
  'function',
  'namespace',
  'client',
  'server',
  'item_reference',
  '__proto__',
  'constructor',
  '\ud83d',
  '\u0000',
  '#/x',
  'true',
  'gpt-5-pro',
];
const keys = [
  'type',
  'id',
  'tools',
  'input',
  'output',
  'content',
  'image_url',
  'file_url',
  'file_id',
  'audio_url',
  'server_url',
  'connector_id',
  'container',
  'url',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
  'include',
  'metadata',
  'tool_choice',
  'parameters',
  'schema',
  'format',
  '$ref',
  '$id',
  '__proto__',
  'constructor',
  'toString',
  'execution',
  'allowed_callers',
  'annotations',
  'model',
  'stream',
  'service_tier',
  'text',
  'arguments',
  'output_schema',
];
const values: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 1e308,
  () => -0,
  () => [],
  () => ({}),
  () => ({ type: 'web_search' }),
  () => ({ type: 'mcp', server_label: 's', server_url: evil }),
  () => ({ type: 'code_interpreter', container: { type: 'auto' } }),
  () => ({ type: 'shell' }),
  () => ({ type: 'tool_search', execution: 'server' }),
  () => ({ type: 'tool_search', execution: 'client' }),
  () => ({ type: 'function', name: 'f', parameters: { $ref: evil } }),
  () => ({ type: 'custom', name: 'c' }),
  () => ({ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }] }),
  () => ({ type: 'input_image', image_url: evil }),
  () => ({ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }),
  () => ({ type: 'input_file', file_url: evil }),
  () => ({ type: 'item_reference', id: 'msg_1' }),
  () => ({ id: 'msg_1' }),
  () => ({ type: 'message', role: 'user', content: 'hi' }),
  () => ({ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', image_url: evil }] }),
  () => ({ type: 'additional_tools', role: 'developer', tools: [{ type: 'mcp' }] }),
  () => ({ type: 'tool_search_output', status: 'completed', execution: 'client', tools: [{ type: 'mcp' }] }),
  () => ({ type: 'web_search_call', action: { type: 'open_page', url: evil } }),
];

interface Slot {
  readonly holder: unknown[] | Record<string, unknown>;
  readonly key: string | number;
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function slotsOf(value: unknown, slots: Slot[] = []): Slot[] {
  if (Array.isArray(value))
    value.forEach((inner: unknown, key) => {
      slots.push({ holder: value, key });
      slotsOf(inner, slots);
    });
  else if (isRecord(value))
    for (const key of Object.keys(value)) {
      slots.push({ holder: value, key });
      slotsOf(value[key], slots);
    }
  return slots;
}
const read = ({ holder, key }: Slot): unknown => (Array.isArray(holder) ? holder[Number(key)] : holder[key]);
function write({ holder, key }: Slot, value: unknown): void {
  if (Array.isArray(holder)) holder[Number(key)] = value;
  // Defined, not assigned, so that `__proto__` is an ordinary key.
  else Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Makes one to three changes of structure, in place. */
export function mutateStructure(body: unknown, random: Random): void {
  for (let left = 1 + below(random, 3); left > 0; left -= 1) {
    const slots = slotsOf(body);
    if (slots.length === 0) return;
    const slot = pick(random, slots);
    const value = random() < 0.4 ? pick(random, texts) : pick(random, values)();
    const inside = read(slot);
    switch (below(random, 6)) {
      case 0:
        write(slot, value);
        break;
      case 1:
        if (Array.isArray(inside)) inside.splice(below(random, inside.length + 1), 0, value);
        else if (isRecord(inside)) write({ holder: inside, key: pick(random, keys) }, value);
        break;
      case 2:
        if (isRecord(slot.holder)) write({ holder: slot.holder, key: pick(random, keys) }, value);
        else slot.holder.splice(Number(slot.key), 0, value);
        break;
      case 3:
        if (isRecord(slot.holder)) delete slot.holder[slot.key];
        else slot.holder.splice(Number(slot.key), 1);
        break;
      case 4:
        write(slot, structuredClone(read(pick(random, slots))));
        break;
      default:
        if (isRecord(slot.holder)) {
          delete slot.holder[slot.key];
          write({ holder: slot.holder, key: pick(random, keys) }, inside);
        }
    }
  }
}

/** Spells the same text differently, or so that some parsers read it as the same. */
export function mutateSpelling(text: string, random: Random): string {
  switch (below(random, 6)) {
    case 0: // a key twice
      return text.replace(
        '{',
        () => `{${JSON.stringify(pick(random, keys))}:${JSON.stringify(pick(random, values)())},`,
      );
    case 1: {
      // A letter as an escape.
      const at = below(random, text.length);
      const letter = text.charCodeAt(at);
      return /[a-z]/i.test(text.charAt(at))
        ? `${text.slice(0, at)}\\u${letter.toString(16).padStart(4, '0')}${text.slice(at + 1)}`
        : text;
    }
    case 2:
      return text.replaceAll(',"', () => (random() < 0.1 ? ' ,\n\t"' : ',"'));
    case 3:
      return `${pick(random, ['\uFEFF', ' ', '\u0000', '//x\n'])}${text}`;
    case 4: {
      // A duplicate key, anywhere.
      const at = text.indexOf('"', below(random, text.length));
      return `${text.slice(0, at)}${JSON.stringify(pick(random, keys))}:${JSON.stringify(pick(random, values)())},${text.slice(at)}`;
    }
    default:
      return text;
  }
}

/** Flips, drops, repeats and inserts bytes; sometimes many of them. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = below(random, bytes.length + 1);
  const length = below(random, random() < 0.05 ? bytes.length : 16);
  const [before, piece, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (below(random, 5)) {
    case 0:
      return join(before, after);
    case 1:
      return join(
        before,
        Uint8Array.from(piece, (byte) => byte ^ (1 << below(random, 8))),
        after,
      );
    case 2:
      return join(
        before,
        Uint8Array.from({ length }, () => below(random, 256)),
        piece,
        after,
      );
    case 3:
      return join(before, ...Array.from({ length: 1 + below(random, 30) }, () => piece), after);
    default:
      return join(
        before,
        new TextEncoder().encode(
          pick(random, [
            '[',
            ']',
            '{',
            '}',
            '"',
            '\\',
            ':',
            ',',
            '\\u0000',
            '1e999',
            '"tools":[{"type":"mcp"}],',
          ]),
        ),
        piece,
        after,
      );
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
