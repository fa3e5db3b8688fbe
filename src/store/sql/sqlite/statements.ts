/** The tables' words, and the statements that are SQLite's own. */
import { statementsFor, type Words } from "../statements.ts";

export const words: Words = {
  heads: "sessions",
  facts: "records",
  journals: "journals",
  no: "no",
  parentNo: "parent_no",
  terms: "terms",
  key: "no",
  nowMs: "$0",
  greatest: "max",
  forUpdate: "",
  marked: () => "",
  mark: "",
};

export const statements = statementsFor(words, {
  // The fence moves on, so that a write has nothing but the fence to check.
  release:
    "UPDATE sessions SET fence = fence + 1, holder = NULL, turn_running = 0 WHERE id = $1 AND fence = $2",
  forks: "SELECT max(base_seq) AS base_seq FROM journals WHERE parent_no = $1",
  totals: "SELECT count(*) AS sessions, total(head_seq - base_seq) AS entries FROM sessions",
});
