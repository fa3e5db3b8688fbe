/** Whatever an agent has seen and whatever others do then: of known files no change is missed, and none is invented. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { doneByOthers, otherHands, type OtherHand } from "./other-hands.ts";
import { aRig, readItself, readThrough, writeItself, writeThrough, type Rig } from "./rig.ts";

const names = ["a.ts", "src/b.ts", "src/c d.ts"];
/** Of the same length, so that no size tells them apart. */
const contents = ["one 1", "two 2", "three", "four!"];

const agents = fc.record({
  name: fc.constantFrom(...names),
  content: fc.constantFrom(...contents),
  how: fc.constantFrom("read", "readItself", "write", "writeItself"),
});
const others = fc.record({
  name: fc.constantFrom(...names),
  content: fc.constantFrom(...contents),
  how: fc.constantFrom(...otherHands, "move", "restore"),
});
const turns = fc.array(
  fc.record({ agent: fc.array(agents, { maxLength: 4 }), others: fc.array(others, { maxLength: 4 }) }),
  {
    minLength: 1,
    maxLength: 3,
  },
);

type Act = { readonly name: string; readonly content: string; readonly how: string };
type OthersAct = Act & { readonly how: OtherHand | "move" | "restore" };

/** What the agent has of each file it knows; undefined for one that was not there. */
type Belief = Map<string, string | undefined>;

function held(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
}

function agentDoes(rig: Rig, belief: Belief, { name, content, how }: Act) {
  const file = rig.at(name);
  if (how === "write" || how === "writeItself") {
    belief.set(name, content);
    return how === "write" ? writeThrough(file, content) : writeItself(file, content);
  }
  const there = held(file);
  // What is not there cannot be read.
  if (there === undefined) return [];
  belief.set(name, there);
  return how === "read" ? readThrough(file) : readItself(file);
}

function othersDo(rig: Rig, saved: Map<string, string>, { name, content, how }: OthersAct): void {
  const file = rig.at(name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  switch (how) {
    case "move":
      // Beside where it was, under a name that nobody knows.
      return void (fs.existsSync(file) && fs.renameSync(file, `${file}.moved`));
    case "restore": {
      const old = saved.get(name);
      if (old !== undefined) fs.writeFileSync(file, old);
      return;
    }
    default:
      doneByOthers(file, how, content);
  }
}

function expected(rig: Rig, belief: Belief, name: string): readonly string[] {
  const [was, is] = [belief.get(name), held(rig.at(name))];
  if (was === is) return ["same"];
  if (is === undefined) return ["deleted", ...moved(rig, was)];
  return [was === undefined ? "created" : "changed"];
}

/** It may have gone to any file that holds what it held. */
function moved(rig: Rig, content: string | undefined): string[] {
  const all = fs.readdirSync(rig.folder, { recursive: true, encoding: "utf8" });
  return all.flatMap((name) =>
    fs.statSync(rig.at(name)).isFile() && held(rig.at(name)) === content ? [`renamed ${name}`] : [],
  );
}

function check(rig: Rig, belief: Belief, changes: Record<string, string>, story: unknown): void {
  expect(Object.keys(changes).sort(), JSON.stringify(story)).toEqual([...belief.keys()].sort());
  for (const [name, what] of Object.entries(changes))
    expect(expected(rig, belief, name), `${name}: ${JSON.stringify(story)}`).toContain(what);
}

async function play(
  rig: Rig,
  story: readonly { agent: readonly Act[]; others: readonly OthersAct[] }[],
): Promise<void> {
  const belief: Belief = new Map();
  const saved = new Map<string, string>();
  for (const name of names) rig.write(name, "start");
  for (const turn of story) {
    await rig.work(...turn.agent.map((act) => agentDoes(rig, belief, act)));
    check(rig, belief, await rig.changes(), story);
    for (const [name, content] of belief) if (content !== undefined) saved.set(name, content);
    for (const act of turn.others) othersDo(rig, saved, act);
    check(rig, belief, await rig.changes(), story);
  }
}

describe("known files, whatever happens [issue 13]", () => {
  it("without version control", () => withoutGit(10));
  it("in git, where branches are switched", () => inGit(2));
  it("many times without version control", { tags: ["long"] }, () => withoutGit(200));
  it("many times in git", { tags: ["long"] }, () => inGit(30));

  async function withoutGit(numRuns: number): Promise<void> {
    await fc.assert(
      fc.asyncProperty(turns, async (story) => {
        const rig = await aRig();
        try {
          await play(rig, story);
        } finally {
          await rig.close();
        }
      }),
      { numRuns },
    );
  }

  async function inGit(numRuns: number): Promise<void> {
    await fc.assert(
      fc.asyncProperty(turns, fc.boolean(), async (story, isSwitched) => {
        const rig = await aRig();
        const git = (...args: string[]) =>
          execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", rig.folder, ...args], {
            stdio: "ignore",
          });
        try {
          git("init", "-b", "main");
          rig.write("a.ts", "of main");
          git("add", ".");
          git("commit", "-m", "1");
          git("branch", "topic");
          await play(rig, story);
          if (!isSwitched) return;
          const belief = new Map(
            (await rig.context.get(rig.id)).files.map(({ path: file }) => [file, held(file)]),
          );
          git("checkout", "-f", "topic");
          const { git: since, files } = await rig.context.diff(rig.id);
          if (belief.size > 0) expect(since).toMatchObject({ isSwitched: true, commits: 0 });
          expect(files).toHaveLength(belief.size);
        } finally {
          await rig.close();
        }
      }),
      { numRuns },
    );
  }
});
