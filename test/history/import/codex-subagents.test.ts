/** Threads that a thread of Codex has asked: each a rollout of its own, and a child of the session here. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { codex } from "../../../src/history/import/codex/reader.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
const [parent, scout, helper, other] = ["1", "2", "3", "4"].map(
  (digit) => `019a0000-1111-7222-8333-44445555666${digit}`,
) as [string, string, string, string];
let homes = 0;

const timeAt = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();
const line = (second: number, type: string, payload: object) => ({
  timestamp: timeAt(second),
  type,
  payload,
});
const meta = (second: number, id: string, more: object = {}) =>
  line(second, "session_meta", { id, cwd: "/home/ada/apple", source: "cli", ...more });
const asked = (second: number, message: string) =>
  line(second, "event_msg", { type: "user_message", message });
const answered = (second: number, message: string) =>
  line(second, "event_msg", { type: "agent_message", message });
const ended = (second: number) => line(second, "event_msg", { type: "task_complete" });
const spawns = (second: number, agent: string) =>
  line(second, "response_item", {
    type: "function_call",
    name: "spawn_agent",
    call_id: `c-${agent}`,
    arguments: JSON.stringify({ message: "look" }),
  });
const spawned = (second: number, agent: string) =>
  line(second, "response_item", {
    type: "function_call_output",
    call_id: `c-${agent}`,
    output: JSON.stringify({ agent_id: agent, nickname: "Euler" }),
  });
/** As it stands in the first line of a thread that another one has asked. */
const askedBy = (id: string, depth = 1) => ({
  source: {
    subagent: { thread_spawn: { parent_thread_id: id, depth, agent_nickname: "Euler", agent_role: null } },
  },
});

type Lines = readonly unknown[];

/** Writes them as rollouts of days of their own, and adds to what is there. */
function write(home: string, threads: Readonly<Record<string, Lines>>, day = "01"): string {
  const folder = path.join(home, ".codex", "sessions", "2026", "03", day);
  fs.mkdirSync(folder, { recursive: true });
  for (const [id, lines] of Object.entries(threads)) {
    const file = path.join(folder, `rollout-2026-03-${day}T10-00-00-${id}.jsonl`);
    fs.appendFileSync(file, lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
  }
  return folder;
}

const newHome = () => path.join(scratch, `home-${(homes += 1)}`);

async function imported(home: string, registry = registryOf(openMemoryStore())) {
  const { told, problems } = await importFrom(registry, codex, home);
  const lines = await Promise.all(told.map(async ({ id }) => outline(await entriesOf(registry, id))));
  return { registry, told, problems, lines, all: lines[0] ?? [] };
}

const opening = [
  meta(0, parent),
  asked(1, "plant trees"),
  spawns(2, scout),
  spawned(3, scout),
  answered(6, "I wait."),
];

describe("subagents of Codex", () => {
  it("are children of the session that asked them, told where they were at work", async () => {
    const home = newHome();
    write(home, { [parent]: [...opening, answered(10, "All done."), ended(11)] });
    write(
      home,
      {
        [scout]: [meta(3, scout, askedBy(parent)), asked(4, "look for a spade"), answered(5, "I look.")],
        [helper]: [
          meta(7, helper, {
            ...askedBy(scout, 2),
            source: "cli",
            thread_source: "subagent",
            parent_thread_id: scout,
          }),
          asked(7, "open the shed"),
          answered(8, "It is open."),
        ],
      },
      "02",
    );
    write(home, { [scout]: [answered(9, "There is one."), ended(9)] }, "02");
    const { all, told, problems, registry } = await imported(home);
    expect(problems).toEqual([]);
    expect(told).toMatchObject([{ what: "imported", nativeId: parent }]);
    expect(all).toEqual(
      [
        "prompt plant trees",
        expect.stringContaining("tool_call spawn_agent"),
        "subagent_update look for a spade",
        "  child user_message_chunk look for a spade",
        "  child agent_message_chunk I look.",
        "agent_message_chunk I wait.",
        "subagent_update open the shed",
        "  child user_message_chunk open the shed",
        "  child agent_message_chunk It is open.",
        "  child agent_message_chunk There is one.",
        "agent_message_chunk All done.",
        'end {"stopReason":"end_turn"}',
      ].toSpliced(2, 0, expect.stringContaining("tool_call_update") as string),
    );
    expect((await imported(home, registry)).told).toMatchObject([{ what: "present" }]);
  });

  it("that go on are gone on with, like the one that asked them", async () => {
    const home = newHome();
    const first = [meta(3, scout, askedBy(parent)), asked(4, "look for a spade")];
    write(home, { [parent]: opening.slice(0, 4), [scout]: first });
    const { registry } = await imported(home);
    write(home, { [scout]: [answered(5, "I look.")], [parent]: opening.slice(4) });
    expect((await imported(home, registry)).told).toMatchObject([{ what: "continued", entries: 3 }]);
    write(home, { [scout]: [answered(7, "No.")] });
    const { told, all } = await imported(home, registry);
    expect(told).toMatchObject([{ what: "continued", entries: 2 }]);
    expect(all.filter((each) => !each.startsWith("end"))).toEqual([
      "prompt plant trees",
      expect.stringContaining("tool_call spawn_agent"),
      expect.stringContaining("tool_call_update"),
      "subagent_update look for a spade",
      "  child user_message_chunk look for a spade",
      "  child agent_message_chunk I look.",
      "agent_message_chunk I wait.",
      "  child agent_message_chunk No.",
    ]);
  });

  it("are sessions where the one that asked them is not there, or they repeat what it said", async () => {
    const home = newHome();
    write(home, {
      [parent]: [...opening, ended(9)],
      [helper]: [meta(5, helper, askedBy("019a0000-0000-7222-8333-000000000000")), asked(6, "alone")],
      [other]: [
        meta(7, other, { forked_from_id: parent, ...askedBy(parent) }),
        meta(7, parent),
        ...[asked(7, "plant trees"), ended(7)],
        asked(8, "a task of its own"),
      ],
    });
    const { told, lines } = await imported(home);
    expect(told.map(({ nativeId }) => nativeId).sort()).toEqual([parent, helper, other]);
    expect(lines.flat().filter((each) => each.includes("child"))).toEqual([]);
  });

  it("cost only themselves where they are broken, and end with what stands of them", async () => {
    const home = newHome();
    const folder = write(home, {
      [parent]: opening,
      [scout]: [meta(3, scout, askedBy(parent)), "odd", asked(4, "look"), { type: "event_msg", payload: 5 }],
    });
    const file = path.join(folder, `rollout-2026-03-01T10-00-00-${scout}.jsonl`);
    fs.appendFileSync(file, '{"timestamp":"2026');
    const { all, problems } = await imported(home);
    expect(problems).toMatchObject([
      { path: file, line: 2, reason: "is no JSON object" },
      { path: file, line: 5, isPending: true },
    ]);
    expect(all.filter((each) => each.includes("child"))).toEqual(["  child user_message_chunk look"]);
  });

  it("may be many, and at work at once", async () => {
    const home = newHome();
    const ids = Array.from(
      { length: 100 },
      (_, at) => `019b0000-1111-7222-8333-${String(at).padStart(12, "0")}`,
    );
    const thread = (id: string, at: number) => [
      meta(2, id, askedBy(parent)),
      asked(3, `task ${at}`),
      answered(50, `answer ${at}`),
    ];
    write(home, Object.fromEntries(ids.map((id, at) => [id, thread(id, at)])));
    write(home, { [parent]: [...opening, answered(40, "Late."), ended(59)] });
    const { all, told } = await imported(home);
    expect(told).toHaveLength(1);
    for (const at of ids.keys())
      expect(all.filter((each) => each.startsWith("  child") && each.endsWith(` ${at}`))).toHaveLength(2);
  });
});
