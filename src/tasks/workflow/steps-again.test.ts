import { expect, it } from 'vitest';
import { MemoryTasks } from '../../../test/memory/memory-tasks.ts';
import { stepsAgain } from './steps-again.ts';

it('runs a step under another name, so that the platform has no result for it', async () => {
  const names: string[] = [];
  const tasks = new MemoryTasks(0, () => {
    throw new Error('no record is opened');
  });
  const platform = new Proxy(tasks.workflow('a task'), {
    get: (target, method) => {
      const found: unknown = Reflect.get(target, method);
      return async (name: string, ...given: unknown[]): Promise<unknown> => {
        names.push(name);
        return typeof found === 'function' ? await Reflect.apply(found, target, [name, ...given]) : null;
      };
    },
  });
  const step = stepsAgain(platform);
  const work = async () => await Promise.resolve('done');
  expect(await step.do('authorize', { retries: { limit: 0, delay: 1 } }, work)).toBe('done');
  await step.sleep('authorize waits', 1000);
  expect(names).toEqual(['authorize again', 'authorize waits again']);
});
