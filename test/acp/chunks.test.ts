import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TextChunks } from "../../src/acp/chunks.ts";
import { entriesOf } from "../../src/acp/update-entries.ts";
import { paramsOf, textOfUpdate, textsOf, type UpdateParams } from "../../src/acp/updates.ts";
import { countOf } from "./count.ts";

type Writer = (message: unknown) => string;

const compact: Writer = (message) => JSON.stringify(message);
/** As Python writes JSON: spaces, and nothing beyond ASCII. */
const spaced: Writer = (message) =>
  JSON.stringify(message, undefined, 1)
    .replaceAll(/\n */g, " ")
    .replaceAll(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

function chunkText(write: Writer, text: string, fields: object = {}, sessionId = "agent-1"): string {
  const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, ...fields };
  return write({ jsonrpc: "2.0", method: "session/update", params: { sessionId, update } });
}

function learned(write: Writer, fields: object = {}, sessionId?: string): TextChunks {
  const chunks = new TextChunks();
  const first = chunkText(write, "first", fields, sessionId);
  chunks.learn(first, (JSON.parse(first) as { params: UpdateParams }).params, 3);
  return chunks;
}

const parsed = (text: string): unknown => JSON.parse(text);
const writers = fc.constantFrom(compact, spaced);
const ids = fc.constantFrom(
  "agent-1",
  "<what the chunk says>",
  'a"b\\c',
  '","update":{"content":{"type":"text","text":"',
);
const fields = fc.constantFrom({}, { messageId: "m1" }, { messageId: '"text":"first"' });
const texts = fc.array(fc.string({ unit: "binary", maxLength: 12 }), { minLength: 1, maxLength: 8 });

describe("lines that differ in their text alone", () => {
  it("are one run that holds every message to the letter", () => {
    fc.assert(
      fc.property(writers, ids, fields, texts, (write, id, more, says) => {
        const lines = says.map((text) => chunkText(write, text, more, id));
        const run = learned(write, more, id).recognise(lines.join("\n"));
        if (run === undefined) throw new Error("not recognised");
        expect(countOf([run])).toBe(lines.length);
        expect(textOfUpdate(run).split("\n").map(parsed)).toEqual(lines.map(parsed));
        expect([...paramsOf([run])]).toEqual(
          lines.map((line) => (JSON.parse(line) as { params: unknown }).params),
        );
      }),
    );
  });

  it("reach the client with its session id and nothing else changed", () => {
    fc.assert(
      fc.property(writers, ids, fields, texts, (write, id, more, says) => {
        const lines = says.map((text) => chunkText(write, text, more, id));
        const run = learned(write, more, id).recognise(lines.join("\n"));
        if (run === undefined) throw new Error("not recognised");
        const sent = textsOf([run], "OURS").flatMap((text) => text.split("\n"));
        expect(sent.map((line) => JSON.parse(line) as unknown)).toEqual(
          says.map((text) => JSON.parse(chunkText(compact, text, more, "OURS")) as unknown),
        );
      }),
    );
  });

  it("are one entry with the whole text, though a character be cut in two", () => {
    fc.assert(
      fc.property(writers, fields, texts, (write, more, says) => {
        const halves = ["\ud83d", "\ude00", ...says];
        const lines = halves.map((text) => chunkText(write, text, more));
        const run = learned(write, more).recognise(lines.join("\n"));
        if (run === undefined) throw new Error("not recognised");
        const [entry, ...others] = entriesOf([run], 5);
        expect(others).toEqual([]);
        const whole = { params: JSON.parse(entry?.data ?? "") as UpdateParams };
        expect(whole.params.update).toEqual({
          sessionUpdate: "agent_message_chunk",
          content: { type: "text", text: halves.join("") },
          ...more,
        });
      }),
    );
  });
});

describe("a line that looks alike", () => {
  const lines = [
    ["another session's", chunkText(compact, "x", {}, "agent-2")],
    ["another message's", chunkText(compact, "x", { messageId: "m2" })],
    ["one with a field that we do not know", chunkText(compact, "x", { _meta: {} })],
    ["one whose text ends early", chunkText(compact, "x").replace('"x"', '"x","y":"z"')],
    ["one that is no JSON", chunkText(compact, "x").replace('"x"', '"\\x"')],
    ["one with a bare control character", chunkText(compact, "x").replace('"x"', '"\t"')],
    ["one with something behind it", `${chunkText(compact, "x")} x`],
    ["an empty one", ""],
  ] as const;

  it.each(lines)("is no part of a run: %s", (_, line) => {
    const good = chunkText(compact, "good");
    for (const text of [line, `${good}\n${line}`, `${line}\n${good}`, `${good}\n${line}\n${good}`]) {
      expect(learned(compact).recognise(text)).toBeUndefined();
    }
  });

  it("is not learned from when a field is written twice and the other one counts", () => {
    const twice = chunkText(compact, "a").replace('"text":"a"', '"text":"a","te\\u0078t":"a"');
    const chunks = new TextChunks();
    const { params } = JSON.parse(twice) as { params: UpdateParams };
    expect(chunks.learn(twice, params, 3).type).toBe("update");
    expect(chunks.recognise(twice)).toBeUndefined();
  });
});
