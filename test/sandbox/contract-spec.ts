/** The size and task ids of the sandbox tests, apart from `contract.ts`, which needs a test runner. */
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';

const MiB = 1024 * 1024;
export const smallSpec: SandboxSpec = { memoryBytes: 1024 * MiB, diskBytes: 64 * MiB, maxProcesses: 256 };

let tasks = 0;
/** A new task id for each sandbox of this run. */
export const newTaskId = () => `contract-${process.pid}-${tasks++}`;
