/** What a patch does to a session's facts, alike in every store. */
import type { NewSession, SessionPatch } from "./contract.ts";

/** The facts with the patch applied; neither argument is changed. */
export function patched<T extends NewSession>(facts: T, patch: SessionPatch): T {
  const { title, ...others } = patch;
  const { title: oldTitle, ...kept } = facts;
  const newTitle = title === undefined ? oldTitle : title;
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  return { ...kept, ...given, ...(typeof newTitle === "string" && { title: newTitle }) } as T;
}
