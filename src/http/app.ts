/** Requests in, answers out: the gate, who asks, what is asked, the route, and what went wrong. */
import { Hono, type Context } from "hono";
import { isSidecarError, loggedReason, SidecarError } from "../base/errors.ts";
import { toSessionId, type SessionId } from "../base/ids.ts";
import { refusalIn } from "../session/audited-sharing.ts";
import { answered } from "./answer.ts";
import { assertNoTokenIn, guestOf } from "./auth.ts";
import { bodyFor, checked } from "./body.ts";
import type { Gate } from "./host-and-origin.ts";
import type { House } from "./house.ts";
import type { Guest } from "./guest.ts";
import { pageAnswer } from "./page.ts";
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
  app.get("/", (context) => pageAnswer(context.req.raw));
  for (const each of routes)
    app.on(each.method.toUpperCase(), each.path, (context) => handled(parts, each, context));
  for (const [path, methods] of methodsByPath()) app.all(path, (context) => notAllowed(context, methods));
  app.notFound((context) => problemAnswer(nothingAt(context.req.path)));
  app.onError((error) => {
    noteFailure(parts.house, error);
    return problemAnswer(error);
  });
  return {
    fetch: async (request, bindings) => {
      try {
        parts.gate.check(request);
        assertNoTokenIn(request.url);
      } catch (error) {
        return problemAnswer(error);
      }
      return app.fetch(request, bindings);
    },
  };
}

async function handled({ house, sourceOf }: AppParts, asked: Route, context: Context): Promise<Response> {
  const request = context.req.raw;
  if (asked.isOpen === true) return answered(request, await asked.handle({ house, request } as Call));
  const guest = await guestOf(request, house.guests, sourceOf(context.env));
  const id = context.req.param("id");
  try {
    const answer = await guest.during(async () =>
      answered(request, await answerTo(house, guest, asked, context, id)),
    );
    // Nobody reads it: a stream would wait for its reader for ever.
    if (request.method === "HEAD") await answer.body?.cancel();
    return answer;
  } catch (error) {
    const what = refusalIn(error);
    if (what !== undefined) guest.audit.noteRefused({ what, session: id }, error);
    throw error;
  }
}

async function answerTo(
  house: House,
  guest: Guest,
  asked: Route,
  context: Context,
  id: string | undefined,
): Promise<Answer | Response> {
  const request = context.req.raw;
  const mostBytes = house.config.maxEntryBytes + envelopeBytes;
  const call: Call = {
    house,
    guest,
    id: id === undefined ? ("" as SessionId) : toSessionId(id),
    params: context.req.param() as Readonly<Record<string, string>>,
    query: asked.query === undefined ? {} : checked(asked.query, queryOf(context), "query"),
    body: await bodyFor(asked, request, mostBytes),
    request,
    // To ask for it costs something, and few do.
    get signal() {
      return request.signal;
    },
  };
  await makeWay(house, guest, asked, call.id);
  const key = house.idempotency.keyOf(request, guest.tokenId);
  if (key === undefined || asked.takesAnything !== undefined) return asked.handle(call);
  const what = [request.method, context.req.path, call.query, call.body];
  return house.idempotency.once(key, what, () => asked.handle(Object.assign(call, { key })));
}

/** To the store this process is one holder: what it has open for prompts is no obstacle to whoever may change the session. */
async function makeWay({ attachments }: House, guest: Guest, asked: Route, id: SessionId): Promise<void> {
  if (asked.method === "get" || asked.isOfTurns === true || attachments.where(id) === undefined) return;
  const { sharing } = guest.registry;
  if ((await sharing.may(id, "prompt")) || (await sharing.may(id, "delete"))) await attachments.letGo(id);
}

/** Errors: `INVALID_PARAMS` for a name that stands there twice. */
function queryOf(context: Context): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  for (const [name, values] of Object.entries(context.req.queries())) {
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
