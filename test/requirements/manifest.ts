/**
 * What the sidecar has to do, one line per behaviour, each with where it is laid down.
 *
 * A test cites what it proves by the ids in brackets, in its title or in a comment of its own:
 *
 *     it("answers with our own id [REQ new-ulid]", …)
 *     // [REQ load-replay, load-before-answer]
 *
 * manifest.test.ts fails on a requirement that no test cites and on a citation of an id that is not here.
 * `open` says why a requirement has no test yet; citing one that is open fails too, so that the word goes.
 */
import { durabilityRequirements } from "./durability.ts";
import { protocolRequirements } from "./protocol.ts";
import { seedRequirements } from "./seeds.ts";
import { sessionRequirements } from "./sessions.ts";
import { userRequirements } from "./user.ts";

export interface Requirement {
  readonly id: string;
  readonly behaviour: string;
  /** Page and heading of the design notes, or page of the ACP specification. */
  readonly source: string;
  readonly open?: string;
}

/** Requirements by source, then by id; a pair carries why the requirement is open. */
export type RequirementTable = Readonly<
  Record<string, Readonly<Record<string, string | readonly [behaviour: string, open: string]>>>
>;

function entriesOf(table: RequirementTable): Requirement[] {
  return Object.entries(table).flatMap(([source, behaviours]) =>
    Object.entries(behaviours).map(([id, text]) => {
      if (typeof text === "string") return { id, behaviour: text, source };
      const [behaviour, open] = text;
      return { id, behaviour, source, open };
    }),
  );
}

export const requirements: readonly Requirement[] = [
  ...entriesOf(protocolRequirements),
  ...entriesOf(sessionRequirements),
  ...entriesOf(durabilityRequirements),
  ...entriesOf(userRequirements),
  ...entriesOf(seedRequirements),
];
