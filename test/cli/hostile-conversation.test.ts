/** What an agent says of itself in a conversation steers no terminal and breaks no command, whichever field it stands in. */
import { expect, it } from "vitest";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { end, prompt, update, written } from "../history/talk.ts";
import { cli, scratchFolder } from "./harness.ts";

it("sessions show, tools and export take any status, kind and reason", async () => {
  const path = `${scratchFolder()}/hostile.db`;
  const store = await openSqliteStore({ path });
  const steering = "\u001b[2J\u202e\u0007";
  const of = (words: string) => [
    prompt("go"),
    update("tool_call", { toolCallId: words, title: "T", kind: words, status: words }),
    update("plan", { entries: [{ content: "step", status: words, priority: words }] }),
    end({ result: { stopReason: words } }),
  ];
  const all = [steering, "constructor", "__proto__", "toString"].flatMap(of);
  const { id } = await written(store, all);
  await store.close();
  for (const argv of [
    ["sessions", "show", id],
    ["sessions", "show", id, "--tools", "full"],
    ["sessions", "tools", id],
    ["export", id, "--format", "markdown"],
  ]) {
    const { status, out, err } = await cli([...argv, "--store", `sqlite:${path}`]);
    expect([status, err]).toEqual([0, ""]);
    expect(out).not.toMatch(/[\u001b\u202e\u0007]/);
    expect(out).not.toContain("native code");
  }
});
