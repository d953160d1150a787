/**
 * Started with extra descriptors by `inherited-descriptors.test.ts`: starts one sandbox and prints, as JSON,
 * the descriptors of every process inside it.
 */
import { newTaskId, smallSpec } from './contract-spec.ts';
import { localSubject } from './local-subject.ts';

const subject = await localSubject();
try {
  const sandbox = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
  await sandbox.start(smallSpec);
  const script = 'for fd in /proc/[0-9]*/fd/*; do echo "$fd $(readlink "$fd")"; done';
  const { stdout } = await sandbox.exec(
    { argv: ['/bin/bash', '-c', script] },
    { timeoutMs: 60_000, maxOutputBytes: 100_000 },
  );
  process.stdout.write(JSON.stringify(stdout.trim().split('\n')));
} finally {
  await subject.close();
}
