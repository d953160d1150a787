/**
 * Which system calls the sandbox does without, as a program for the kernel (seccomp, classic BPF). Namespaces hide most of the host; this
 * closes what they do not cover. It is not a list of all that is dangerous: what needs a capability fails for want of one.
 *
 * - Sockets other than Unix, IPv4, IPv6 and netlink. A network namespace does not confine them all: through a vsock, a process in a
 *   virtual machine speaks to the hypervisor, past every rule of ours.
 * - Kernel keyrings: a process inherits the session's, with whatever the user who started Airlock keeps there.
 * - io_uring, which opens sockets without the call that is checked here; and `bpf`, `perf_event_open`, `userfaultfd`, large parts of the
 *   kernel that a build or a test has no need of.
 * - The kernel's log (`syslog`), which machines with `kernel.dmesg_restrict=0` show to everybody: addresses, devices, other programs' faults.
 * - Memory that no accounting of ours sees (`memfd_secret`).
 */

export type Architecture = 'x64' | 'arm64';

interface Numbers {
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly audit: number;
  readonly socket: number;
  readonly denied: readonly number[];
}

/** From asm/unistd.h: add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd, memfd_secret, syslog. */
const numbers: Readonly<Record<Architecture, Numbers>> = {
  x64: { audit: 0xc000003e, socket: 41, denied: [248, 249, 250, 298, 321, 323, 447, 103] },
  arm64: { audit: 0xc00000b7, socket: 198, denied: [217, 218, 219, 241, 280, 282, 447, 116] },
};
/** io_uring_setup, _enter, _register; the same on both. Answered as by a kernel that has none, so that programs do without. */
const absent = [425, 426, 427];
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (with which libc asks for the interfaces). */
const families = [1, 2, 10, 16];

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** On x64, calls of the x32 interface have this bit, and other numbers below it. */
const x32Bit = 0x40000000;

// linux/bpf_common.h, linux/seccomp.h; offsets into struct seccomp_data.
const load = (offset: number) => [0x20, 0, 0, offset] as const;
const skipUnlessEqual = (value: number) => [0x15, 0, 1, value] as const;
const skipUnlessAtLeast = (value: number) => [0x35, 0, 1, value] as const;
const fail = (errno: number) => [0x06, 0, 0, 0x00050000 | errno] as const;
const allow = [0x06, 0, 0, 0x7fff0000] as const;
const numberOffset = 0;
const architectureOffset = 4;
const firstArgumentOffset = 16;

/** For `bwrap --seccomp`: instructions of eight bytes, little endian, as both architectures are. */
export function seccompProgram(architecture: Architecture): Uint8Array {
  const { audit, socket, denied } = numbers[architecture];
  const program = [
    load(architectureOffset),
    // 32-bit programs have calls of other numbers, among them one for all kinds of sockets: none of them is answered.
    [0x15, 1, 0, audit] as const,
    fail(ENOSYS),
    load(numberOffset),
    ...(architecture === 'x64' ? [skipUnlessAtLeast(x32Bit), fail(ENOSYS)] : []),
    ...absent.flatMap((number) => [skipUnlessEqual(number), fail(ENOSYS)]),
    ...denied.flatMap((number) => [skipUnlessEqual(number), fail(EPERM)]),
    [0x15, 1, 0, socket] as const,
    allow,
    load(firstArgumentOffset),
    ...families.flatMap((family) => [skipUnlessEqual(family), allow]),
    fail(EAFNOSUPPORT),
  ];
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    view.setUint16(at * 8, code, true);
    view.setUint8(at * 8 + 2, ifTrue);
    view.setUint8(at * 8 + 3, ifFalse);
    view.setUint32(at * 8 + 4, value, true);
  }
  return bytes;
}
