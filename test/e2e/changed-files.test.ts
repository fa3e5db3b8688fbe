/** An agent that has read files is told what others did to them, across a restart, and its client hears nothing of that. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { isAlive } from "./harness/processes.ts";
import type { Answer } from "./harness/sdk-client.ts";

const harness = useHarness();
const answers: Record<string, Answer> = {
  "fs/read_text_file": ({ path: file }) => ({ content: fs.readFileSync(String(file), "utf8") }),
};

it("the next prompt tells it which of two files was changed behind its back, once", async () => {
  const [store, cwd] = [harness.storeUrl(), harness.project()];
  const [a, b, refused] = ["a.ts", "b.ts", "refused.ts"].map((name) => path.join(cwd, name)) as [
    string,
    string,
    string,
  ];
  for (const file of [a, b]) fs.writeFileSync(file, "one");
  const agent = ["agent.mjs", "--load", "--state", harness.path("state")];
  const args = ["--context-note", "prompt"];
  const first = await harness.connect({ agent, store, args, answers });
  const { sessionId } = await first.newSession(cwd);
  const work = `read ${a}\nread ${b}\nwrite ${refused} x`;
  await first.prompt(sessionId, work);
  await harness.stop(first.program);
  fs.writeFileSync(a, "two");

  const again = async () => {
    const client = await harness.connect({ agent, store, args, answers });
    await client.agent.request("session/load", { sessionId, cwd, mcpServers: [] });
    return client;
  };
  const second = await again();
  const heard = async (text: string) => {
    await second.prompt(sessionId, text);
    const sent = second.program.agents()[0]?.messages.findLast(({ method }) => method === "session/prompt");
    return JSON.stringify(sent);
  };
  const told = await heard("stream 1");
  expect(told).toContain("- changed: a.ts\\n");
  for (const name of ["b.ts", "refused.ts"]) expect(told).not.toContain(`: ${name}`);
  expect(await heard("stream 1")).not.toContain("changed-files");
  await harness.stop(second.program);
  // The agent remembers the note as what the user said, and replays it.
  const third = await again();
  for (const { program } of [second, third])
    expect(JSON.stringify(program.out.messages())).not.toContain("changed-files");
  const said = third.program.out
    .updates(sessionId)
    .filter(({ sessionUpdate }) => sessionUpdate === "user_message_chunk");
  expect(said.map(({ content }) => (content as { text: string }).text)).toEqual([
    work,
    "stream 1",
    "stream 1",
  ]);
});

it("a git that hangs holds no turn up, and is not left behind", { tags: ["long"] }, async () => {
  const cwd = harness.project();
  const [bin, pids] = [harness.path("bin"), harness.path("pids")];
  fs.mkdirSync(bin, { recursive: true });
  fs.mkdirSync(path.join(cwd, ".git"));
  fs.writeFileSync(path.join(bin, "git"), `#!/bin/sh\necho $$ >> ${pids}\nkill -STOP $$\n`, { mode: 0o755 });
  const env = { PATH: `${bin}${path.delimiter}${process.env["PATH"]}` };
  const client = await harness.connect({ agent: ["agent.mjs"], store: harness.storeUrl(), answers, env });
  const { sessionId } = await client.newSession(cwd);
  const file = path.join(cwd, "a.ts");
  fs.writeFileSync(file, "one");
  await client.prompt(sessionId, `read ${file}`);
  const asked = () =>
    fs.existsSync(pids) ? fs.readFileSync(pids, "utf8").trim().split("\n").map(Number) : [];
  await expect.poll(asked).toHaveLength(1);
  await harness.stop(client.program);
  const [pid = 0] = asked();
  await expect.poll(() => isAlive(pid)).toBe(false);
});
