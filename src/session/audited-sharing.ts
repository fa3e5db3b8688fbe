/** What is recorded of who may do what: shares, owners, tokens, and who was refused. */
import type { Audit, Deed } from "../audit/audit.ts";
import { isSidecarError } from "../base/errors.ts";
import type { Sharing } from "./sharing.ts";

/** A registry's own, so that nothing is recorded twice. */
export function auditSharing(sharing: Sharing, audit: Audit): void {
  const share = sharing.share.bind(sharing);
  const unshare = sharing.unshare.bind(sharing);
  const own = sharing.own.bind(sharing);
  const endHolding = sharing.endHolding.bind(sharing);
  Object.assign(sharing, {
    share: ((id, wish) => {
      const facts = { with: String(wish.with), may: wish.permissions?.join(" ") };
      return audit.around({ what: "session.share", session: id, facts }, () => share(id, wish));
    }) satisfies Sharing["share"],
    unshare: ((id, name) =>
      audit.around({ what: "session.unshare", session: id, facts: { with: String(name) } }, () =>
        unshare(id, name),
      )) satisfies Sharing["unshare"],
    own: ((id) => audit.around({ what: "session.own", session: id }, () => own(id))) satisfies Sharing["own"],
    endHolding: ((id, how) =>
      audit.around({ what: "session.end", session: id, facts: { force: how?.force } }, () =>
        endHolding(id, how),
      )) satisfies Sharing["endHolding"],
  });
  auditLinks(sharing.links, audit);
  auditTokens(sharing.tokens, audit);
}

function auditLinks(links: Sharing["links"], audit: Audit): void {
  const [make, end] = [links.make.bind(links), links.end.bind(links)];
  Object.assign(links, {
    make: ((id, wish) =>
      audit.around(
        { what: "session.share", session: id },
        () => make(id, wish),
        ({ token }) => ({
          facts: { link: token.id },
        }),
      )) satisfies Sharing["links"]["make"],
    end: ((id) =>
      audit.around(
        { what: "session.unshare", session: id },
        () => end(id),
        (links) => ({
          facts: { links },
        }),
      )) satisfies Sharing["links"]["end"],
  });
}

function auditTokens(tokens: Sharing["tokens"], audit: Audit): void {
  const { create, revoke } = tokens;
  Object.assign(tokens, {
    // Its secret is nobody's but its maker's.
    create: ((wish) => {
      const facts = { name: String(wish.name), scope: wish.scope };
      const ended = ({ token }: Awaited<ReturnType<typeof create>>) => ({ facts: { id: token.id } });
      return audit.around({ what: "token.create", facts }, () => create(wish), ended);
    }) satisfies Sharing["tokens"]["create"],
    revoke: ((named) =>
      audit.around({ what: "token.revoke", facts: { token: String(named) } }, () =>
        revoke(named),
      )) satisfies Sharing["tokens"]["revoke"],
  });
}

/** What a refusal is recorded as: somebody asked for what is not theirs, or not there; undefined for other errors. */
export function refusalIn(error: unknown): Deed["what"] | undefined {
  if (isSidecarError(error, "TOKEN_INVALID")) return "token.refuse";
  return isSidecarError(error, "SESSION_NOT_FOUND", "FORBIDDEN") ? "access.refuse" : undefined;
}
