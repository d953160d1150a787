import { describe, expect, it } from 'vitest';
import { seccompProgram, type Architecture } from './seccomp.ts';

/** Interprets the subset of classic BPF that our filters use. */
function run(
  program: Uint8Array,
  data: { arch: number; nr: number; argument?: number; third?: number },
): number {
  const view = new DataView(program.buffer);
  const fields = new Map([
    [0, data.nr],
    [4, data.arch],
    [16, data.argument ?? 0],
    [32, data.third ?? 0],
  ]);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [code, ifTrue, ifFalse, value] = [
      view.getUint16(at * 8, true),
      program[at * 8 + 2],
      program[at * 8 + 3],
      view.getUint32(at * 8 + 4, true),
    ];
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = fields.get(value) ?? NaN;
    else at += ((code === 0x15 ? accumulator === value : accumulator >= value) ? ifTrue : ifFalse) ?? 0;
  }
  throw new Error('fell off the end');
}

const allowed = 0x7fff0000;
const [EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT] = [0x50001, 0x50026, 0x5005d, 0x50061];
const arch = { x64: 0xc000003e, arm64: 0xc00000b7 };

describe('seccompProgram', () => {
  const rows: [Architecture, string, { nr: number; argument?: number; third?: number }, number][] = [
    ['x64', 'read', { nr: 0 }, allowed],
    ['x64', 'execve', { nr: 59 }, allowed],
    ['x64', 'clone3', { nr: 435 }, allowed],
    ['x64', 'keyctl', { nr: 250 }, EPERM],
    ['x64', 'add_key', { nr: 248 }, EPERM],
    ['x64', 'bpf', { nr: 321 }, EPERM],
    ['x64', 'syslog', { nr: 103 }, EPERM],
    ['x64', 'io_uring_setup', { nr: 425 }, ENOSYS],
    ['x64', 'socket AF_UNIX', { nr: 41, argument: 1 }, allowed],
    ['x64', 'socket AF_INET', { nr: 41, argument: 2 }, allowed],
    ['x64', 'socket AF_INET6', { nr: 41, argument: 10 }, allowed],
    ['x64', 'socket AF_NETLINK for routes', { nr: 41, argument: 16, third: 0 }, allowed],
    ...Array.from({ length: 21 }, (_, at): (typeof rows)[number] => [
      'x64',
      `socket AF_NETLINK of the protocol ${at + 1}`,
      { nr: 41, argument: 16, third: at + 1 },
      EPROTONOSUPPORT,
    ]),
    ['arm64', 'socket AF_NETLINK for routes', { nr: 198, argument: 16, third: 0 }, allowed],
    ['arm64', 'socket AF_NETLINK for audit', { nr: 198, argument: 16, third: 9 }, EPROTONOSUPPORT],
    ['x64', 'socket AF_PACKET', { nr: 41, argument: 17 }, EAFNOSUPPORT],
    ['x64', 'socket AF_ALG', { nr: 41, argument: 38 }, EAFNOSUPPORT],
    ['x64', 'socket AF_VSOCK', { nr: 41, argument: 40 }, EAFNOSUPPORT],
    ['x64', 'socket of the x32 ABI', { nr: 0x40000000 + 41, argument: 2 }, ENOSYS],
    ['arm64', 'read', { nr: 63 }, allowed],
    ['arm64', 'keyctl', { nr: 219 }, EPERM],
    ['arm64', 'syslog', { nr: 116 }, EPERM],
    ['arm64', 'io_uring_enter', { nr: 426 }, ENOSYS],
    ['arm64', 'socket AF_INET', { nr: 198, argument: 2 }, allowed],
    ['arm64', 'socket AF_VSOCK', { nr: 198, argument: 40 }, EAFNOSUPPORT],
  ];
  it.each(rows)('decides on %s about %s', (architecture, _, call, expected) => {
    expect(run(seccompProgram(architecture), { arch: arch[architecture], ...call })).toBe(expected);
  });

  it('fails every call of another architecture with ENOSYS', () => {
    for (const nr of [0, 41, 102, 359])
      expect(run(seccompProgram('x64'), { arch: 0x40000003, nr, argument: 2 })).toBe(ENOSYS);
  });
});
