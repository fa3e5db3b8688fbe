/** Holds tests and manifest together: nothing required without a test, nothing cited that is not required. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { requirements } from "./manifest.ts";

const tests = fileURLToPath(new URL("..", import.meta.url));
const citation = /\[REQ ([^\]]+)\]/g;

/** The ids that each test file cites. This folder shows examples and is no witness. */
function citations(isCounted: (text: string) => boolean = () => true): Map<string, string[]> {
  const files = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !name.startsWith("requirements"))
    .map((name) => [name, readFileSync(join(tests, name), "utf8")] as const)
    .filter(([, text]) => isCounted(text));
  return new Map(
    files.map(([name, text]) => [
      name,
      [...text.matchAll(citation)].flatMap(([, ids]) => (ids ?? "").split(",").map((id) => id.trim())),
    ]),
  );
}

const cited = citations();
const everyCited = new Set([...cited.values()].flat());

describe("the manifest of requirements", () => {
  it("names every requirement once", () => {
    const ids = requirements.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("has a test for every requirement that is not declared open", () => {
    const uncited = requirements.filter(({ id, open }) => open === undefined && !everyCited.has(id));
    expect(uncited.map(({ id, behaviour }) => `${id}: ${behaviour}`)).toEqual([]);
  });

  it("has one in a file that `npm test` runs", () => {
    const short = new Set([...citations((text) => !text.includes("@module-tag long")).values()].flat());
    expect([...everyCited].filter((id) => !short.has(id))).toEqual([]);
  });

  it("knows every requirement that a test cites, and none of those is open", () => {
    const known = new Set(requirements.filter(({ open }) => open === undefined).map(({ id }) => id));
    const wrong = [...cited].flatMap(([file, ids]) =>
      ids.filter((id) => !known.has(id)).map((id) => `${file} cites ${id}`),
    );
    expect(wrong).toEqual([]);
  });
});
