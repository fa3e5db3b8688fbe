import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { opencode } from "../../../src/history/import/opencode/reader.ts";
import { loadEngine } from "../../../src/sqlite/engines.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { countingOf, entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let homes = 0;
const newHome = () => path.join(scratch, `home-${(homes += 1)}`);
const at = (minute: number) => Date.UTC(2026, 2, 1, 10, minute);

interface Message {
  readonly id: string;
  readonly info: object;
  readonly parts: readonly object[];
}
interface Session {
  readonly id: string;
  readonly parentId?: string;
  readonly title?: string;
  readonly revert?: object;
  readonly updated?: number;
  readonly messages: readonly Message[];
}

let minute = 0;
const user = (id: string, text: string): Message => ({
  id,
  info: { role: "user", time: { created: at((minute += 1)) } },
  parts: [
    { type: "text", text },
    { type: "text", text: "added", synthetic: true },
  ],
});
const says = (id: string, parts: readonly object[], more: object = {}): Message => ({
  id,
  info: {
    role: "assistant",
    modelID: "a-model",
    time: { created: at((minute += 1)) },
    tokens: { input: 3, output: 2, reasoning: 1, cache: { read: 4, write: 0 } },
    ...more,
  },
  parts,
});
const text = (words: string) => ({ type: "text", text: words });
const bash = {
  type: "tool",
  callID: "t1",
  tool: "bash",
  state: { status: "completed", input: { command: "ls" }, output: "spade", title: "List" },
};
const turns = [
  user("msg_1", "plant"),
  says("msg_2", [
    { type: "step-start" },
    { type: "reasoning", text: "where" },
    text("Here."),
    bash,
    { type: "step-finish" },
  ]),
  user("msg_3", "dig"),
  says("msg_4", [
    {
      type: "tool",
      callID: "t2",
      tool: "todowrite",
      state: { status: "completed", input: { todos: [{ content: "dig", status: "completed" }] } },
    },
  ]),
];

const base = (home: string) => path.join(home, ".local", "share", "opencode");

async function asDatabase(
  home: string,
  sessions: readonly Session[],
  newer: readonly (readonly [string, string, string, object])[] = [],
) {
  fs.mkdirSync(base(home), { recursive: true });
  const file = path.join(base(home), "opencode.db");
  fs.writeFileSync(file, "");
  const db = (await loadEngine()).open(file);
  db.pragma("journal_mode = WAL");
  db.exec(`CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, directory TEXT, title TEXT, revert TEXT, time_created INTEGER, time_updated INTEGER);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
    CREATE TABLE event (id TEXT PRIMARY KEY, data TEXT);
    CREATE TABLE session_message (id TEXT PRIMARY KEY, session_id TEXT, type TEXT, seq INTEGER, time_created INTEGER, time_updated INTEGER, data TEXT)`);
  for (const { id, parentId, title, revert, updated = at(1), messages } of sessions) {
    db.prepare("INSERT INTO session VALUES (?, 'p', ?, '/home/ada/apple', ?, ?, ?, ?)").run(
      id,
      parentId ?? null,
      title ?? `New session - ${id}`,
      revert === undefined ? null : JSON.stringify(revert),
      at(0),
      updated,
    );
    for (const [index, message] of messages.entries()) {
      db.prepare("INSERT INTO message VALUES (?, ?, ?, ?, ?)").run(
        message.id,
        id,
        at(index),
        at(index),
        JSON.stringify(message.info),
      );
      for (const [part, data] of message.parts.entries())
        db.prepare("INSERT INTO part VALUES (?, ?, ?, 0, 0, ?)").run(
          `${message.id}_${part}`,
          message.id,
          id,
          JSON.stringify(data),
        );
    }
  }
  for (const [seq, [id, session, type, data]] of newer.entries())
    db.prepare("INSERT INTO session_message VALUES (?, ?, ?, ?, ?, ?, ?)").run(
      id,
      session,
      type,
      seq,
      at(50),
      at(50),
      JSON.stringify(data),
    );
  return { file, db };
}

function asStorage(home: string, sessions: readonly Session[]): string {
  const write = (file: string, data: object) => {
    const full = path.join(base(home), "storage", file);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, JSON.stringify(data));
  };
  for (const { id, parentId, title = "Trees", revert, updated = at(1), messages } of sessions) {
    const time = { created: at(0), updated };
    write(`session/p/${id}.json`, {
      id,
      parentID: parentId,
      directory: "/home/ada/apple",
      title,
      revert,
      time,
    });
    for (const message of messages) {
      write(`message/${id}/${message.id}.json`, { id: message.id, sessionID: id, ...message.info });
      for (const [part, data] of message.parts.entries())
        write(`part/${message.id}/prt_${part}.json`, { id: `prt_${part}`, ...data });
    }
  }
  return path.join(base(home), "storage");
}

async function imported(home: string) {
  const registry = registryOf(openMemoryStore());
  const { told, problems } = await importFrom(registry, opencode, home);
  const { items } = await registry.list();
  const of = told[0]?.id;
  return {
    told,
    problems,
    record: items[0],
    lines: outline(await entriesOf(registry, of)),
    counting: outline(await countingOf(registry, of)).map((line) => line.replace(/,"usage.*/, "")),
  };
}
const ended = 'end {"stopReason":"end_turn"';
const allTurns = [
  "prompt plant",
  "agent_thought_chunk where",
  "agent_message_chunk Here.",
  "tool_call ls | completed | spade",
  ended,
  "prompt dig",
  "plan completed: dig",
  ended,
];

describe("a history of opencode", () => {
  it("comes from a database that is in use, and nothing there is changed", async () => {
    const home = newHome();
    const { file, db } = await asDatabase(home, [{ id: "ses_1", messages: turns }]);
    const before = fs.readFileSync(file);
    const { counting, problems, record } = await imported(home);
    expect(problems).toEqual([]);
    expect(counting).toEqual(allTurns);
    expect(record).toMatchObject({ cwd: "/home/ada/apple", title: "plant", agentSessionIds: ["ses_1"] });
    expect(fs.readFileSync(file)).toEqual(before);
    db.close();
  });

  it("comes from a folder of files, and names the broken one", async () => {
    const home = newHome();
    const storage = asStorage(home, [{ id: "ses_1", messages: turns }]);
    fs.writeFileSync(path.join(storage, "part", "msg_2", "prt_9.json"), "{broken");
    const { counting, problems, record } = await imported(home);
    expect(counting).toEqual(allTurns);
    expect(record?.title).toBe("Trees");
    expect(problems).toMatchObject([
      { path: expect.stringContaining("prt_9.json") as string, reason: "is no JSON" },
    ]);
  });

  it("takes what was written to last where both are there", async () => {
    const home = newHome();
    asStorage(home, [{ id: "ses_1", updated: at(9), messages: turns }]);
    const { db } = await asDatabase(home, [{ id: "ses_1", updated: at(2), messages: turns.slice(0, 1) }]);
    db.close();
    const { told, counting } = await imported(home);
    expect(told).toHaveLength(1);
    expect(counting).toEqual(allTurns);
  });

  it("hides a tail that was taken back", async () => {
    for (const revert of [{ messageID: "msg_3" }, { messageID: "msg_4", partID: "msg_4_0" }]) {
      const home = newHome();
      const { db } = await asDatabase(home, [{ id: "ses_1", revert, messages: turns }]);
      db.close();
      const { counting, lines } = await imported(home);
      const kept = revert.messageID === "msg_3" ? 5 : 6;
      expect(counting.slice(0, kept)).toEqual(allTurns.slice(0, kept));
      expect(counting.length).toBeLessThanOrEqual(kept + 1);
      expect(lines.join()).toContain("plan completed: dig");
    }
  });

  it("has sessions of subagents as children where they were asked, and one without its parent as a session", async () => {
    const home = newHome();
    const task = {
      type: "tool",
      callID: "t1",
      tool: "task",
      state: {
        status: "completed",
        input: { description: "count" },
        output: "nine",
        metadata: { sessionId: "ses_2" },
      },
    };
    const asked = [user("msg_a", "count apples"), says("msg_b", [text("nine")])];
    const { db } = await asDatabase(home, [
      { id: "ses_1", title: "Trees", messages: [user("msg_1", "ask"), says("msg_2", [task, text("Nine.")])] },
      { id: "ses_2", parentId: "ses_1", title: "Counting", messages: asked },
      { id: "ses_3", parentId: "ses_gone", updated: at(30), messages: [user("msg_c", "alone")] },
    ]);
    db.close();
    const { told, lines } = await imported(home);
    expect(told.map(({ nativeId }) => nativeId)).toEqual(["ses_1", "ses_3"]);
    expect(lines.slice(0, -1)).toEqual([
      "prompt ask",
      "tool_call task count | completed | nine",
      "agent_message_chunk Nine.",
      "subagent_update Counting",
      "  child user_message_chunk count apples",
      "  child agent_message_chunk nine",
    ]);
  });

  it("loses no session, however deep it was asked, by whom, or in a circle", async () => {
    const home = newHome();
    const id = (at: number) => `ses_${at}`;
    const deep = Array.from({ length: 9 }, (_, at) => ({
      id: id(at),
      ...(at > 0 && { parentId: id(at - 1) }),
      title: `Depth ${at}`,
      messages: [user(`msg_${at}`, `words ${at}`)],
    }));
    const circle = ["x", "y"].map((name, place) => ({
      id: name,
      parentId: ["y", "x"][place] as string,
      updated: at(30 + place),
      messages: [user(`msg_${name}`, `circle ${name}`)],
    }));
    const own = { id: "z", parentId: "z", updated: at(32), messages: [user("msg_z", "of itself")] };
    const { db } = await asDatabase(home, [...deep, ...circle, own]);
    db.close();
    const { told, lines } = await imported(home);
    expect(told.map(({ nativeId }) => nativeId)).toEqual(["ses_0", "x", "y", "z"]);
    for (const at of deep.keys())
      expect(lines.filter((line) => line.endsWith(`words ${at}`))).toHaveLength(1);
  });

  it("knows the newer generation of messages", async () => {
    const home = newHome();
    const { db } = await asDatabase(
      home,
      [{ id: "ses_1", title: "Trees", messages: turns.slice(0, 1) }],
      [
        ["m1", "ses_1", "model-switched", { model: { id: "x" } }],
        ["m2", "ses_1", "user", { text: "new words", time: { created: at(50) } }],
        [
          "m3",
          "ses_1",
          "assistant",
          {
            content: [
              text("New."),
              {
                type: "tool",
                id: "c1",
                name: "bash",
                state: { status: "completed", input: { command: "ls" }, content: [text("spade")] },
              },
            ],
          },
        ],
        ["m4", "ses_1", "compaction", { summary: "They dug." }],
      ],
    );
    db.close();
    const { counting, problems } = await imported(home);
    expect(problems).toEqual([]);
    expect(counting.map((line) => line.replace(/}$/, ""))).toEqual([
      "prompt new words",
      "agent_message_chunk New.",
      "tool_call ls | completed | spade",
      "compaction_update completed | They dug.",
      ended,
    ]);
  });

  it("names a database that is none", async () => {
    const home = newHome();
    fs.mkdirSync(base(home), { recursive: true });
    fs.writeFileSync(
      path.join(base(home), "opencode.db"),
      "no database, but long enough to look like one ".repeat(50),
    );
    const { problems, told } = await imported(home);
    expect(problems).toHaveLength(1);
    expect(told).toEqual([]);
  });
});
