/**
 * Builds the seccomp filter (classic BPF) that denies the sandbox system calls which namespaces do not
 * confine. It does not list every dangerous call: those that need a capability fail because the sandbox has
 * none. Denied are:
 *
 * - Sockets other than Unix, IPv4, IPv6 and netlink's protocol 0 (routing). A network namespace does not
 *   confine all of them: through a vsock, a process in a virtual machine reaches the hypervisor.
 * - Kernel keyrings: a process inherits the session keyring of the user who started Airlock, with its keys.
 * - io_uring, which opens sockets without the `socket` call that is checked here.
 * - `bpf`, `perf_event_open` and `userfaultfd`: large parts of the kernel that no build or test needs.
 * - The kernel log (`syslog`): with `kernel.dmesg_restrict=0` it shows everybody addresses, devices and other
 *   programs' faults.
 * - `memfd_secret`, whose memory our limits do not count.
 */

export type Architecture = 'x64' | 'arm64';

interface Numbers {
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly audit: number;
  readonly socket: number;
  readonly denied: readonly number[];
}

/** add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd, memfd_secret, syslog. */
const numbers: Readonly<Record<Architecture, Numbers>> = {
  x64: { audit: 0xc000003e, socket: 41, denied: [248, 249, 250, 298, 321, 323, 447, 103] },
  arm64: { audit: 0xc00000b7, socket: 198, denied: [217, 218, 219, 241, 280, 282, 447, 116] },
};
/** io_uring, on both architectures: ENOSYS, so that programs fall back. */
const unimplemented = [425, 426, 427];
/** AF_UNIX, AF_INET and AF_INET6. */
const allowedFamilies = [1, 2, 10];
/** NETLINK_ROUTE lists network interfaces for libc. The other protocols are doors to the kernel. */
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;

const EPERM = 1;
const ENOSYS = 38;
const EPROTONOSUPPORT = 93;
const EAFNOSUPPORT = 97;
/** On x64, calls of the x32 ABI have this bit set and use other numbers. */
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
const thirdArgumentOffset = 32;

/** For `bwrap --seccomp`: instructions of eight bytes, little endian like both architectures. */
export function seccompProgram(architecture: Architecture): Uint8Array {
  const { audit, socket, denied } = numbers[architecture];
  const program = [
    load(architectureOffset),
    // 32-bit programs use other call numbers, one of which (`socketcall`) opens every kind of socket. All
    // fail with ENOSYS.
    [0x15, 1, 0, audit] as const,
    fail(ENOSYS),
    load(numberOffset),
    ...(architecture === 'x64' ? [skipUnlessAtLeast(x32Bit), fail(ENOSYS)] : []),
    ...unimplemented.flatMap((number) => [skipUnlessEqual(number), fail(ENOSYS)]),
    ...denied.flatMap((number) => [skipUnlessEqual(number), fail(EPERM)]),
    [0x15, 1, 0, socket] as const,
    allow,
    load(firstArgumentOffset),
    ...allowedFamilies.flatMap((family) => [skipUnlessEqual(family), allow]),
    [0x15, 1, 0, AF_NETLINK] as const,
    fail(EAFNOSUPPORT),
    load(thirdArgumentOffset),
    skipUnlessEqual(NETLINK_ROUTE),
    allow,
    fail(EPROTONOSUPPORT),
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
