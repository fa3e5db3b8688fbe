import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { isSidecarError } from "../../src/base/errors.ts";
import { anyItem } from "../session/any-item.ts";
import { prompt, thought, tool, type Item } from "../session/entries.ts";
import { hugeCall, plainWords, World, type Step } from "./world.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-chains-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const output = [{ type: "content", content: { type: "text", text: `${plainWords}\n`.repeat(40) } }];
const longItem = fc.constantFrom<Item>(
  prompt(`${plainWords} ask`),
  thought(`${plainWords} think `.repeat(60), "m"),
  tool({ title: `${plainWords} read`, status: "completed", content: output }, "tool_call", "long"),
  {
    kind: "request",
    data: { id: 1, method: "fs/write_text_file", params: { content: plainWords.repeat(200) } },
  },
);
/** Large when it is said. */
const hugeItem = fc.constant<Item>({ sessionUpdate: "tool_call", toolCallId: hugeCall, rawOutput: "y" });
const said = fc.record({
  do: fc.constant("say" as const),
  parts: fc.array(
    fc.array(
      fc.oneof(
        { weight: 24, arbitrary: anyItem },
        { weight: 16, arbitrary: longItem },
        { weight: 1, arbitrary: hugeItem },
      ),
      { maxLength: 5 },
    ),
    { maxLength: 3 },
  ),
  isOfChild: fc.boolean(),
  isRunning: fc.boolean(),
  how: fc.constantFrom("end", "end", "end", "kill", "release", "seal", "late"),
});
const done = fc
  .constantFrom(
    ...[
      "message",
      "rename",
      "archive",
      "unarchive",
      "compact",
      "undo",
      "erase",
      "fork",
      "rewind",
      "edit",
      "summary",
      "context",
      "trash",
      "other",
    ],
  )
  .map((what) => ({ do: what }));
const moved = fc
  .constantFrom("reopen", "bundle", "migrate", "encrypt", "rotate", "backup")
  .map((what) => ({ do: what }));
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: said }, { weight: 8, arbitrary: done }, { weight: 2, arbitrary: moved }),
  { minLength: 1, maxLength: 12 },
);

/** Of which a bundle once was compared with what stood there before it was folded. */
const unsealedInBundle: Step[] = [
  { do: "say", parts: [[thought("a", "m")], [thought("b", "m")]], how: "release" },
  { do: "bundle" },
];

/** What is refused, because there is nothing to undo, no place to go back to, or a fork that has it, too. */
const refusals = ["INVALID_PARAMS", "STORE_CONFLICT"] as const;

async function doAll(kind: string, isEncrypted: boolean, given: readonly Step[]): Promise<void> {
  const world = new World(kind, scratch);
  if (isEncrypted) world.encryption = { encryptionKey: world.key() };
  await world.open(world.fresh());
  try {
    world.id = (await world.registry.create({ cwd: `/${plainWords}` })).id;
    for (const step of given)
      try {
        await world.does(step);
      } catch (error) {
        if (!isSidecarError(error, ...refusals)) throw error;
      }
    await world.check();
    expect(world.plainFiles()).toEqual([]);
    await world.does({ do: "reopen" });
    await world.check();
  } finally {
    await world.close();
  }
  expect(world.plainFiles()).toEqual([]);
}

/** A few in memory every day, and all kinds of stores with the long tests. */
describe.each([
  { name: "memory", tags: [], runs: 10 },
  ...["memory", "file", "sqlite", "file encrypted", "sqlite encrypted"].map((name) => ({
    name,
    tags: ["long"],
    runs: 50,
  })),
])("sessions in a store: $name [issue 11.2]", ({ name, tags, runs }) => {
  it(
    "are sound to verify, and so are their signed heads, whatever was done to them",
    { tags, timeout: 900_000 },
    () => {
      const [kind = "", encrypted] = name.split(" ");
      return fc.assert(
        fc.asyncProperty(steps, (given) => doAll(kind, encrypted !== undefined, given)),
        { numRuns: runs, examples: [[unsealedInBundle]] },
      );
    },
  );
});
