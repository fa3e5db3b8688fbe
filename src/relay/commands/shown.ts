import { visibleLine } from "../../base/visible.ts";

/** Text from outside within Markdown: on one line, as code, whatever stands in it. */
export function asCode(text: string): string {
  const line = visibleLine(text).trim();
  let [longest, run] = [0, 0];
  for (const character of line) {
    run = character === "`" ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `\`${line}\`` : `${fence} ${line} ${fence}`;
}
