/** The audit log as one of several whose deeds it records. */
import type { Audit, Deed } from "../audit/audit.ts";

/** Records the same, as theirs. Whoever has opened the log closes it. */
export function auditAs(audit: Audit, who: string): Audit {
  const theirs = (deed: Deed): Deed => (who === "" || deed.who !== undefined ? deed : { ...deed, who });
  return {
    place: audit.place,
    showsTitles: audit.showsTitles,
    note: (deed, ended) => audit.note(theirs(deed), ended),
    noted: (deed, ended) => audit.noted(theirs(deed), ended),
    around: (deed, act, ended) => audit.around(theirs(deed), act, ended),
    whole: (deed, pieces) => audit.whole(theirs(deed), pieces),
    noteRefused: (deed, error) => audit.noteRefused(theirs(deed), error),
    ...(audit.noteHead && { noteHead: audit.noteHead }),
    close: async () => undefined,
  };
}
