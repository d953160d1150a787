/** Bolt, its receiver and Slack's client in workerd: signature, answer, and workerd's fetch. */
import { describe, expect, it } from 'vitest';
import { botUser, command, createWorld, deliver, event, mention } from '../slack/slack-intake-world.ts';

describe('Slack’s requests in workerd', () => {
  it('start the task of a signed command and answer', async () => {
    const world = createWorld();
    const { status, json } = await deliver(world, command('acme/shop fix the login — naïve ✓'));
    expect({ status, json }).toEqual({
      status: 200,
      json: { response_type: 'ephemeral', text: expect.stringContaining('Received as') },
    });
    expect(world.started.map(({ instruction }) => instruction)).toEqual(['fix the login — naïve ✓']);
  });

  it('are refused if signed with another secret', async () => {
    const world = createWorld();
    expect((await deliver(world, { ...command('acme/shop x y'), secret: 'another' })).status).toBe(401);
    expect(world.started).toEqual([]);
  });

  it('open the form for a bare command through the Web API', async () => {
    const world = createWorld();
    expect(await deliver(world, command(''))).toMatchObject({ status: 200, text: '' });
    expect(world.calls.map(({ method }) => method)).toEqual(['views.open']);
  });

  it('start the task of a mention', async () => {
    const world = createWorld();
    expect((await deliver(world, event(mention(`<@${botUser}> acme/shop fix it`)))).status).toBe(200);
    expect(world.started).toHaveLength(1);
  });
});
