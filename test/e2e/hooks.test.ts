/** Hooks of a serving sidecar, also of one that is killed before anybody took what it had to tell. */
import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { receiver } from "../notify/receiver.ts";
import { root } from "./harness/paths.ts";
import { useHarness } from "./harness/harness.ts";

const harness = useHarness();

it("what happens is told, by the next sidecar if the first was killed, with the same id, and holds up no turn [REQ hooks]", async () => {
  let isOpen = false;
  const hanging: { end: () => void }[] = [];
  await using server = await receiver(
    ...Array.from({ length: 20 }, () => (response: ServerResponse) => {
      if (isOpen) response.writeHead(204).end();
      else hanging.push(response);
    }),
  );
  const config = harness.path("config.json");
  const hook = { on: ["session.created", "turn.ended"], post: `${server.url}/hook`, timeout: "1m" };
  writeFileSync(config, JSON.stringify({ hooks: [hook] }));
  const options = {
    args: ["--config", config],
    env: { XDG_STATE_HOME: join(harness.dir, "state") },
    store: harness.storeUrl(),
  };
  const first = await harness.connect(options);
  const cwd = harness.project();
  const { sessionId } = await first.newSession(cwd);
  // The receiver has it and does not answer: turns go on.
  await server.count(1);
  expect((await first.prompt(sessionId, "hello")).stopReason).toBe("end_turn");
  await harness.crash(first.program);
  isOpen = true;
  const second = await harness.connect(options);
  const got = await server.count(2);
  await harness.stop(second.program);
  const told = got.map(({ body }) => [body["event"], body["id"]]);
  expect(told[0]?.[0]).toBe("session.created");
  // At least once: what was not answered for comes again.
  expect(told[1]).toEqual(told[0]);
  for (const response of hanging) response.end();
}, 30_000);

/** What was journaled just before a kill. */
async function isToldByTheNext(event: string, words: string, facts: object): Promise<void> {
  await using server = await receiver();
  const config = harness.path("config.json");
  writeFileSync(config, JSON.stringify({ hooks: [{ on: [event], post: server.url }] }));
  const options = {
    args: ["--config", config],
    env: { XDG_STATE_HOME: harness.path("state") },
    store: harness.storeUrl(),
  };
  const killer = pathToFileURL(join(root, "test/fixtures/kill-at-letter.mjs")).href;
  const first = await harness.connect({
    ...options,
    env: { ...options.env, NODE_OPTIONS: `--import=${killer}` },
  });
  const { sessionId } = await first.newSession(harness.project());
  await first.prompt(sessionId, words).catch(() => undefined);
  await first.program.exited;
  const second = await harness.connect(options);
  const [told] = await server.count(1);
  await harness.stop(second.program);
  expect(told?.body).toMatchObject({ event, sessionId, ...facts });
  // It is known that this was told.
  const third = await harness.connect(options);
  await third.newSession(harness.project());
  await harness.stop(third.program);
  expect(server.got.length).toBe(1);
}
const killed =
  "is told by the next sidecar when the first was killed after it was journaled and before it was in the outbox";

it(`turn.ended ${killed}`, { timeout: 30_000 }, () =>
  isToldByTheNext("turn.ended", "hello", { stopReason: "end_turn" }),
);
it(`permission.asked ${killed}`, { timeout: 30_000, tags: ["long"] }, () =>
  isToldByTheNext("permission.asked", "permission", { toolCallId: "tool-p1" }),
);
