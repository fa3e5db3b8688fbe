/** What a patch does to a session's facts, alike in every store. */
import type { Metadata, MetadataChanges, NewSession, SessionPatch } from "./contract.ts";

/** The facts with the patch applied; neither argument is changed. */
export function patched<T extends NewSession>(facts: T, patch: SessionPatch): T {
  const { title, metadataChanges, ...others } = patch;
  const { title: oldTitle, ...kept } = facts;
  const newTitle = title === undefined ? oldTitle : title;
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  const metadata = metadataChanges && changedMetadata(patch.metadata ?? facts.metadata, metadataChanges);
  return {
    ...kept,
    ...given,
    ...(metadata && { metadata }),
    ...(typeof newTitle === "string" && { title: newTitle }),
  } as T;
}

export function changedMetadata(before: Metadata, changes: MetadataChanges): Metadata {
  const all = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  return Object.freeze(Object.fromEntries(all)) as Metadata;
}
