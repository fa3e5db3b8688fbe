/** What a load says of files that have changed since the agent was last at work, in `_meta["acp-sidecar"].changes` of its answer. */
import type { ContextDiff } from "../../context/diff.ts";
import { isMoved } from "../../context/since.ts";

/** So many are named. */
const mostNamed = 200;

/** Nothing where nothing has changed; `unknown` where it could not be told in time. */
export function changesIn(diff: ContextDiff | "unknown" | undefined): Readonly<Record<string, unknown>> {
  if (diff === undefined) return {};
  if (diff === "unknown") return { changes: { isUnknown: true } };
  const files = diff.files.filter(isMoved);
  const { git } = diff;
  if (files.length === 0 && git === undefined) return {};
  return {
    changes: {
      files: files
        .slice(0, mostNamed)
        .map(({ path, what, to }) => ({ path, what, ...(to !== undefined && { to }) })),
      ...(files.length > mostNamed && { more: files.length - mostNamed }),
      ...(git !== undefined && { git }),
    },
  };
}
