/** Started as another user by `ordinary-user.test.ts`: runs a few checks in one sandbox. */
import { newTaskId, smallSpec } from './contract-spec.ts';
import { localSubject } from './local-subject.ts';

const subject = await localSubject();
try {
  const sandbox = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
  await sandbox.start({ ...smallSpec, maxProcesses: 32 });
  const script = `
    id -u
    grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | cut -f2
    curl -sS https://api.example.com/ && echo
    unshare -Ur true 2>/dev/null || echo no user namespace
    for n in $(seq 60); do sleep 2 & done 2>&1 | grep -c 'Resource temporarily unavailable' | grep -qv '^0$' && echo processes limited
    nice`;
  const { stdout } = await sandbox.exec(
    { argv: ['/bin/bash', '-c', script] },
    { timeoutMs: 60_000, maxOutputBytes: 10_000 },
  );
  process.stdout.write(JSON.stringify({ limits: subject.host.limits, stdout }));
} finally {
  await subject.close();
}
