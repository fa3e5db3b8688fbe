/** The page for people who change the program: the files that it sends them to are there. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

it("every file that CONTRIBUTING names is there", () => {
  const text = fs.readFileSync(path.join(root, "CONTRIBUTING.md"), "utf8");
  const named = Array.from(
    text.matchAll(/(?<![\w/])(?:src|test|docs|schemas|bench|\.ci)\/[\w./-]*\w/g),
    ([file]) => file,
  );
  expect(named.length).toBeGreaterThan(30);
  const lost = named.filter((file) => !/NAME/.test(file) && !fs.existsSync(path.join(root, file)));
  expect(lost).toEqual([]);
});
