/** How long a call took is known after its turn is sealed, and no client is told of it. */
import { describe, expect, it } from "vitest";
import { lastHeardIn, withLastHeard, withoutLastHeard } from "../../src/acp/last-heard.ts";
import { toolLogOf } from "../../src/history/tool-log.ts";
import { happeningsIn } from "../../src/session/conversation.ts";
import { foldEntries } from "../../src/session/fold.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { replay } from "../../src/session/replay.ts";
import { cli, scratchFolder } from "../cli/harness.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { entry } from "../history/talk.ts";
import { end, ofKid, prompt, startMs, update } from "../history/talk.ts";

const at = (ms: number, given: ReturnType<typeof entry>) => ({ ...given, atMs: startMs + ms });
const call = update("tool_call", { toolCallId: "c", title: "Test", status: "pending" });
const done = update("tool_call_update", { toolCallId: "c", status: "completed" });
const turn = [
  prompt("go"),
  call,
  at(1500, update("tool_call_update", { toolCallId: "c", status: "in_progress" })),
  at(3200, done),
  at(4000, end()),
];

async function logOf(entries: readonly ReturnType<typeof entry>[]) {
  const pages = (async function* () {
    yield entries.map((each, i) => ({ ...each, seq: i + 1 }));
  })();
  const log = [];
  for await (const use of toolLogOf(happeningsIn(pages))) log.push(use);
  return log;
}

describe("the time of a call", () => {
  it("is the same whether its turn runs or is folded, also once more", async () => {
    const folded = foldEntries(turn);
    expect(folded).toHaveLength(3);
    expect(folded[1]).toMatchObject({ atMs: startMs });
    expect(foldEntries(folded)).toEqual(folded);
    for (const entries of [turn, folded]) expect(await logOf(entries)).toMatchObject([{ tookMs: 3200 }]);
    const later = at(9000, update("tool_call_update", { toolCallId: "c", title: "Tested" }));
    expect(await logOf(foldEntries([...folded.slice(0, 2), later]))).toMatchObject([
      { title: "Tested", tookMs: 9000 },
    ]);
  });

  it("is a subagent's, too", async () => {
    const kids = [
      prompt("go"),
      ofKid("tool_call", { toolCallId: "c", title: "Test" }),
      at(700, ofKid("tool_call_update", { toolCallId: "c", status: "completed" })),
    ];
    expect(await logOf(foldEntries(kids))).toMatchObject([{ tookMs: 700 }]);
  });

  it("is not known of what was said at once, and old journals say none", async () => {
    expect(foldEntries([call, done])[0]?.data).not.toContain("lastMs");
    expect(
      await logOf([prompt("go"), update("tool_call", { toolCallId: "c", status: "completed" })]),
    ).toMatchObject([{ tookMs: undefined }]);
  });

  it("is shown to no client by a replay, and to people by commands and exports", async () => {
    const path = `${scratchFolder()}/sessions.db`;
    const store = await openSqliteStore({ path });
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd: "/project" });
    const { journal } = await registry.open(id);
    await journal.append(turn.slice(0, -1));
    await journal.seal(turn.slice(-1));
    await journal.release();
    const shown: string[] = [];
    for await (const texts of replay(store, id, await registry.get(id), new Map())) shown.push(...texts);
    expect(shown).toContain(
      '{"update":{"sessionUpdate":"tool_call","toolCallId":"c","title":"Test","status":"completed"}}',
    );
    expect(shown.join()).not.toContain("lastMs");
    await store.close();
    const run = (...argv: string[]) => cli([...argv, "--store", `sqlite:${path}`]);
    expect((await run("sessions", "tools", id)).out).toContain("3.2 s");
    for (const format of ["markdown", "html"])
      expect((await run("export", id, "--format", format)).out).toContain("3.2 s");
  });

  it("stands at the end of the data, and is taken from there alone", () => {
    const data = '{"update":{"toolCallId":"c"}}';
    expect(withoutLastHeard(withLastHeard(data, 12))).toBe(data);
    expect(lastHeardIn(JSON.parse(withLastHeard(data, 12)) as never)).toBe(12);
    const within = '{"update":{"x":{},"acp-sidecar.lastMs":1}}';
    expect(withoutLastHeard(within)).toBe(within);
  });
});
