/** Requests in, answers out: the gate, who asks, what is asked, the route, and what went wrong. */
import { Hono, type Context } from "hono";
import { isSidecarError, loggedReason, SidecarError } from "../base/errors.ts";
import { toSessionId, type SessionId } from "../base/ids.ts";
import type { Counting } from "../base/meter.ts";
import { refusalIn } from "../session/audited-sharing.ts";
import { Addresses, type Said } from "./addresses.ts";
import { answered } from "./answer.ts";
import { assertNoTokenIn, guestOf } from "./auth.ts";
import { bodyFor, checked } from "./body.ts";
import { counted } from "./counted.ts";
import type { Gate } from "./host-and-origin.ts";
import type { House } from "./house.ts";
import type { Guest } from "./guest.ts";
import { ViewAnswer } from "./page.ts";
import { problemAnswer, Refusal } from "./problems.ts";
import type { Answer, Call, Method, Route } from "./route.ts";
import { routes } from "./routes.ts";

/** Beside an entry's own bytes, so much of a body may be its envelope. */
const envelopeBytes = 64 << 10;

export interface AppParts {
  readonly house: House;
  readonly gate: Gate;
  /** Where a request comes from: an address, or that it came by a socket of the file system. */
  readonly sourceOf: (env: unknown) => string;
}

export interface App {
  /** Never rejects. @param bindings what `sourceOf` is handed */
  readonly fetch: (request: Request, bindings?: unknown) => Promise<Response>;
}

export function appOf(parts: AppParts): App {
  const app = new Hono();
  const addresses = new Addresses();
  const view = new ViewAnswer();
  const { meter } = parts.house;
  const answer = (asked: Asked) => counted(meter, asked.route, asked.request, () => handled(parts, asked));
  app.get("/", ({ req: { raw } }) => counted(meter, { path: "/" }, raw, () => view.to(raw)));
  for (const route of routes)
    app.on(route.method.toUpperCase(), route.path, (context) => {
      const request = context.req.raw;
      const read = () => {
        const said = saidBy(context, route);
        addresses.keep(request, { route, said });
        return said;
      };
      return answer({ route, read, session: context.req.param("id"), request, env: context.env });
    });
  refuseOthers(app, meter);
  const failed = (error: unknown) => {
    noteFailure(parts.house, error);
    return problemAnswer(error);
  };
  app.onError(failed);
  return {
    fetch: async (request, bindings) => {
      const known = addresses.known(request);
      try {
        parts.gate.check(request);
        if (known === undefined) assertNoTokenIn(request.url);
      } catch (error) {
        return counted(meter, {}, request, () => problemAnswer(error));
      }
      if (known === undefined) return app.fetch(request, bindings);
      const { route, said } = known;
      const asked = { route, read: () => said, session: said.id, request, env: bindings };
      return answer(asked).catch(failed);
    },
  };
}

/** What no route is for. */
function refuseOthers(app: Hono, meter: Counting): void {
  for (const [path, methods] of methodsByPath())
    app.all(path, (context) =>
      counted(meter, { path }, { method: "other" }, () => notAllowed(context, methods)),
    );
  app.all("/", (context) =>
    counted(meter, { path: "/" }, { method: "other" }, () => notAllowed(context, ["get"])),
  );
  app.notFound(({ req }) => counted(meter, {}, req.raw, () => problemAnswer(nothingAt(req.path))));
}

interface Asked {
  readonly route: Route;
  /** What its address says. Errors: of what is not as it must be. */
  readonly read: () => Said;
  /** As it stands there. */
  readonly session: string | undefined;
  readonly request: Request;
  readonly env: unknown;
}

async function handled({ house, sourceOf }: AppParts, asked: Asked): Promise<Response> {
  const { route, request } = asked;
  if (route.isOpen === true) return answered(request, await route.handle({ house, request } as Call));
  const guest = await guestOf(request, house.guests, sourceOf(asked.env));
  try {
    const answer = await guest.during(async () => answered(request, await answerTo(house, guest, asked)));
    // Nobody reads it: a stream would wait for its reader for ever.
    if (request.method === "HEAD") await answer.body?.cancel();
    return answer;
  } catch (error) {
    const what = refusalIn(error);
    if (what !== undefined) guest.audit.noteRefused({ what, session: asked.session }, error);
    throw error;
  }
}

async function answerTo(
  house: House,
  guest: Guest,
  { route, read, request }: Asked,
): Promise<Answer | Response> {
  const { id, params, query } = read();
  const takesBody = route.body !== undefined && route.takesAnything === undefined;
  const call: Call = {
    ...{ house, guest, id, params, query, request },
    body: takesBody ? await bodyFor(route, request, house.config.maxEntryBytes + envelopeBytes) : undefined,
    // To ask for it costs something, and few do.
    get signal() {
      return request.signal;
    },
  };
  if (route.method === "get") return route.handle(call);
  await makeWay(house, guest, route, id);
  const key = house.idempotency.keyOf(request, guest.tokenId);
  if (key === undefined || route.takesAnything !== undefined) return route.handle(call);
  const what = [request.method, new URL(request.url).pathname, query, call.body];
  return house.idempotency.once(key, what, () => route.handle(Object.assign(call, { key })));
}

/** To the store this process is one holder: what it has open for prompts is no obstacle to whoever may change the session. */
async function makeWay({ attachments }: House, guest: Guest, asked: Route, id: SessionId): Promise<void> {
  if (asked.method === "get" || asked.isOfTurns === true || attachments.where(id) === undefined) return;
  const { sharing } = guest.registry;
  if ((await sharing.may(id, "prompt")) || (await sharing.may(id, "delete"))) await attachments.letGo(id);
}

/** Errors: `SESSION_NOT_FOUND` for what is no id, `INVALID_PARAMS`. */
function saidBy({ req }: Context, { query }: Route): Said {
  const id = req.param("id");
  return {
    id: id === undefined ? ("" as SessionId) : toSessionId(id),
    params: req.param() as Said["params"],
    query: query === undefined ? {} : checked(query, queryOf(req), "query"),
  };
}

/** Errors: `INVALID_PARAMS` for a name that stands there twice. */
function queryOf(req: Context["req"]): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  for (const [name, values] of Object.entries(req.queries())) {
    if (values.length !== 1)
      throw new SidecarError("INVALID_PARAMS", `query.${name.slice(0, 100)} stands there more than once`);
    query[name] = values[0] ?? "";
  }
  return query;
}

function methodsByPath(): ReadonlyMap<string, readonly Method[]> {
  const found = new Map<string, Method[]>();
  for (const { path, method } of routes) found.set(path, [...(found.get(path) ?? []), method]);
  return found;
}

function notAllowed({ req }: Context, methods: readonly Method[]): Response {
  const allow = methods.map((method) => method.toUpperCase()).join(", ");
  return problemAnswer(
    new Refusal(405, `${req.method} is not for this address; allowed: ${allow}`, {
      code: "METHOD_NOT_FOUND",
      headers: { allow },
    }),
  );
}

function nothingAt(path: string): SidecarError {
  const shown = path.slice(0, 200);
  return new SidecarError(
    "METHOD_NOT_FOUND",
    `There is nothing at ${shown}; /api/openapi.json says what there is`,
  );
}

function noteFailure({ log }: House, error: unknown): void {
  if (isSidecarError(error)) {
    if (log.writes("debug")) log.debug({ error: loggedReason(error, log) }, "a request was refused");
    return;
  }
  log.error({ error }, "a request failed unexpectedly");
}
