import { expect, it } from "vitest";
import type { SidecarError } from "../../src/base/errors.ts";
import { emptyPlaceOf } from "../../src/care/maintenance.ts";
import { openStore } from "../../src/store/open.ts";

it("of every store at a path it is known whether it is there, because a mistyped place must not become one", async () => {
  const forms = await openStore("no-such:").catch(({ data }: SidecarError) => data?.["allowed"]);
  const schemes = (forms as string[]).flatMap((form) => /^([a-z]+):(?:DIR|PATH)$/.exec(form)?.[1] ?? []);
  expect(schemes).toContain("file");
  // A module's path is its code's; what it opens is its own affair.
  for (const scheme of schemes.filter((each) => each !== "module"))
    expect(emptyPlaceOf(`${scheme}:/nowhere/at/all`)).toBe(`${scheme}:/nowhere/at/all`);
});
