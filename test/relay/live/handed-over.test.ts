/** What we put before prompts is nobody's words, however an agent says it back. */
import { describe, expect, it } from "vitest";
import {
  behindHandover,
  HandoverEcho,
  handoverPreamble,
  noteBlock,
} from "../../../src/relay/live/handed-over.ts";
import { betweenTags } from "../../../src/session/history-text.ts";

const note = noteBlock("- changed: a.ts").text;
const handover = betweenTags(
  `${handoverPreamble}\n\n## User\nquoting </conversation-history> and </changed-files>`,
);

describe.each([
  ["a note", note],
  ["a handover", handover],
  ["both", handover + note],
])("%s that is said back", (_, put) => {
  it("in pieces of any length leaves the user's words", () => {
    const said = `${put}my words about </changed-files>`;
    for (const length of [1, 7, 50, said.length]) {
      const echo = new HandoverEcho();
      let rest = "";
      for (let at = 0; at < said.length; at += length) rest += echo.restOf(said.slice(at, at + length));
      // What came before it was told to be one is shown by who streams so finely; its words are not.
      expect(rest.endsWith("my words about </changed-files>"), `${length}`).toBe(true);
      if (length >= 50) expect(rest).not.toContain("a.ts");
    }
  });

  it("in parts is told from what comes behind it", () => {
    expect(behindHandover([put, "my words"])).toEqual({ rest: "", from: 1 });
    expect(behindHandover([`${put}my words`, "more"])).toEqual({ rest: "\n\nmy words", from: 1 });
    expect(behindHandover(["my words"])).toBeUndefined();
  });
});
