/** What is wrong with params is said so that a person knows what to write. */
import { expect, it } from "vitest";
import type * as z from "zod/mini";
import { messagesParams, replayParams, rewindParams } from "../../src/acp/place-schema.ts";
import { exportParams, parseParams } from "../../src/acp/schema.ts";

const sessionId = "s";
const replay = (window: unknown) => ({ _meta: { "acp-sidecar": { replay: window } } });

it.each<[z.ZodMiniType, unknown, string]>([
  [
    exportParams,
    { sessionId, format: "pdf" },
    'format must be "markdown" or "html" or "json" or "jsonl" or "bundle"',
  ],
  [rewindParams, { sessionId, undo: false }, "undo must be true"],
  [rewindParams, { sessionId, at: true }, "at must be a number, or must be a string"],
  [messagesParams, { sessionId, limit: 1000 }, "limit must be at most 100"],
  [replayParams, replay("all"), '_meta.acp-sidecar.replay must be "none", or must be an object'],
  [replayParams, replay({ last: 0 }), "_meta.acp-sidecar.replay.last must be at least 1"],
])("says what is allowed: %#", (schema, params, said) => {
  expect(() => parseParams(schema, "a/method", params)).toThrow(`a/method: ${said}`);
});

it("says so of every kind of replay that there is none of", () => {
  expect(() => parseParams(replayParams, "a/method", replay({}))).toThrow(
    /replay .*last must be a number, or afterSeq must be/,
  );
  const other = replay({ last: 1, first: 2 });
  expect(() => parseParams(replayParams, "a/method", other)).toThrow(/does not belong there/);
});
