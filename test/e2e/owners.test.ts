/** Two sidecars of two people on one store: what each has, and an end by force under a turn that runs. */
import fs from "node:fs";
import { expect, it } from "vitest";
import { cli } from "../cli/harness.ts";
import { useHarness } from "./harness/harness.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const agent = ["agent.mjs", "--load"];

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as { code: number; message: string; data: Record<string, unknown> },
  );

it("what is Ann's is there for Bob when she shares it, and for no token that was revoked", async () => {
  const store = harness.storeUrl();
  const as = (name: string, ...argv: string[]) => cli([...argv, "--store", store, "--identity", name]);
  const ann = await harness.connect({ agent, store, args: ["--identity", "ann"] });
  const { sessionId } = await ann.newSession(cwd);
  await ann.prompt(sessionId, "between us");
  const bob = await harness.connect({ agent, store, args: ["--identity", "bob"] });
  expect(await refusal(bob.replay(sessionId, cwd))).toMatchObject({
    code: -32002,
    data: { code: "SESSION_NOT_FOUND" },
  });
  expect((await as("ann", "sessions", "share", sessionId, "--with", "bob")).status).toBe(0);
  expect(textOf(await bob.replay(sessionId, cwd))).toContain("between us");
  expect(await refusal(bob.prompt(sessionId, "x"))).toMatchObject({
    code: -32050,
    data: { code: "FORBIDDEN" },
  });
  const { out } = await as("ann", "token", "create", "--name", "t", "--scope", "write");
  const token = harness.path("token");
  fs.writeFileSync(token, out, { mode: 0o600 });
  const byToken = await harness.connect({ agent, store, args: ["--token", `file:${token}`] });
  const made = await byToken.newSession(cwd);
  expect((await as("ann", "sessions", "shares", made.sessionId)).out).toContain("is ann's");
  await as("ann", "token", "revoke", "t");
  const late = await harness.connect({ agent, store, args: ["--token", `file:${token}`] });
  expect(await refusal(late.newSession(cwd))).toMatchObject({ data: { code: "TOKEN_INVALID" } });
});

it("a turn that runs ends by force, and its client is told why; without force it is busy", async () => {
  const store = harness.storeUrl();
  const ann = await harness.connect({ agent, store, args: ["--identity", "ann", "--lease-ttl", "600ms"] });
  const { sessionId } = await ann.newSession(cwd);
  const from = ann.program.out.length;
  const turn = refusal(ann.prompt(sessionId, "until-cancel"));
  await ann.untilUpdate(sessionId, () => true, from);
  const end = (name: string, ...more: string[]) =>
    cli(["sessions", "end", sessionId, ...more, "--store", store, "--identity", name]);
  expect((await end("bob", "--force")).status).toBe(4);
  expect(await end("ann")).toMatchObject({
    status: 3,
    err: expect.stringMatching(/with a turn running, .*; --force ends it all the same$/m) as string,
  });
  expect(await end("ann", "--force")).toMatchObject({ status: 0, out: `Ended ${sessionId}\n` });
  expect(await turn).toMatchObject({
    data: { code: "LEASE_LOST", sessionId },
    message: expect.stringContaining("load it again") as string,
  });
  expect((await end("ann", "--force")).out).toBe(`Nobody has ${sessionId} open\n`);
  expect(textOf(await ann.replay(sessionId, cwd))).toContain("before");
  expect(await ann.say(sessionId, "again")).toBe("echo: again");
});
