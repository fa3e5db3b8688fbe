/** Links are what they were when sessions were written with them, to the letter. */
import { expect, it } from "vitest";
import { LinkedStretch } from "../../src/session/chain.ts";
import type { EntryKind } from "../../src/store/contract.ts";

const kinds: readonly EntryKind[] = ["prompt", "update", "message", "end"];
const times = [
  0,
  7,
  999,
  1000,
  1005,
  -1,
  -1500,
  1_700_000_000_000,
  1_700_000_000_007,
  1_700_000_000_042,
  1_700_000_000_999,
  1_700_000_001_100,
  1_600_000_000_010,
  Number.MAX_SAFE_INTEGER,
];
const hash = { sha256: "0123456789abcdef".repeat(4), bytes: 9000 };
const compacted = JSON.stringify({ _meta: { "acp-sidecar": { compacted: hash } } });

function linkOver(count: number, before?: string) {
  const stretch = new LinkedStretch(3);
  for (let at = 0; at < count; at += 1) {
    const kind = kinds[at % kinds.length] ?? "end";
    const data = at % 11 === 5 ? compacted : JSON.stringify({ at, text: "é🦀 { ".repeat(at % 40) });
    stretch.add({ kind, atMs: times[at % times.length] ?? 0, data });
  }
  return stretch.link(before);
}

it.each([
  [1, "1c54f168517d44882e720b27cd5cd28d298cfe6d30b1274ff3b289be94529c18"],
  [14, "d54baff8d36fd2ef3a03503b3b271668e3fa2883ec044590c76aa9114921784b"],
  [499, "074a45894f09ec36c1c84a2bb8d8e403c4d2bffdd4f23dc2245dd63a4edfdd0f"],
  [500, "7f707bd6b2d5de49c74ed219b7e27bd5ab703792d129ad4625eb791be200db81"],
  [501, "d1c979b305c896bf59eb9b3f47d739dcdf6713da3189fd773ed6918453f8853a"],
  [2049, "57c8eaa78f981cf049be0c8aaae405d22150215b84c4057adb440b0cde3c91b5"],
])("over %i entries", (count, sha256) => {
  expect(linkOver(count)).toMatchObject({ sha256, from: 3, through: count + 2, begins: true });
});

it("says what its entries are, and goes on from the one before", () => {
  expect(linkOver(4, "a".repeat(64))).toEqual({
    sha256: "dd2d6c5215f011dc22d986cd4d990322b519170a9b54ba464b385b3693911067",
    from: 3,
    through: 6,
    begins: false,
    marks: "qzHmbPCFgY9GUcPxI3zMQw",
  });
});
