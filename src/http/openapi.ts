/** `/api/openapi.json`: OpenAPI 3.1, made from the routes and from the shapes that check what they are sent. */
import { version } from "../base/version.ts";
import type { Route } from "./route.ts";
import { jsonSchemas, problemSchema } from "./schema.ts";

type Fields = Readonly<Record<string, unknown>>;

const statusTexts: Readonly<Record<number, string>> = {
  200: "done",
  201: "made",
  204: "done; nothing to say",
  304: "as it was",
  400: "not as it must be",
  401: "no valid token",
  403: "not allowed",
  404: "not there, or not for you",
  405: "another method is for this",
  409: "in the way: somebody has it, or it has changed; the problem names who or what",
  412: "it has changed since: If-Match names another version",
  413: "too much",
  415: "the body is of another type",
  422: "understood, and it cannot be",
  428: "it is to be said which version it is about",
  429: "too much at once",
  500: "went wrong here",
  502: "the agent failed",
  503: "not now; try again",
};

export function documentOf(routes: readonly Route[]): Fields {
  const { components, of } = jsonSchemas();
  const paths: Record<string, Record<string, Fields>> = {};
  for (const each of routes) {
    const path = each.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [each.method]: operationOf(each, of) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "acp-sidecar", version, description: "Sessions of coding agents, on this machine." },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "acp-sidecar token create makes one" },
      },
    },
  };
}

function operationOf(each: Route, of: (schema: unknown) => Fields): Fields {
  const { name, summary, notes, isOpen, body, isBodyOptional, takesAnything } = each;
  const types = takesAnything ?? ["application/json"];
  const content = (type: string) => (type === "application/json" ? { schema: of(body) } : {});
  return {
    operationId: name,
    summary,
    ...(notes !== undefined && { description: notes }),
    ...(isOpen === true && { security: [] }),
    parameters: [...pathParameters(each), ...queryParameters(each, of), ...headerParameters(each)],
    ...(body !== undefined && {
      requestBody: {
        required: isBodyOptional !== true,
        content: Object.fromEntries(types.map((type) => [type, content(type)])),
      },
    }),
    responses: responsesOf(each, of),
  };
}

function responsesOf(each: Route, of: (schema: unknown) => Fields): Fields {
  const { status = 200, answer, answers, problems = [], failing = [], isOpen } = each;
  const types = answers ?? (answer === undefined ? [] : ["application/json"]);
  const content = (type: string) =>
    type === "application/json" && answer !== undefined ? { schema: of(answer) } : {};
  const always =
    isOpen === true ? [400] : [400, 401, 403, ...(each.path.includes(":id") ? [404] : []), 429, 500, 503];
  const refused = [
    ...always,
    ...(each.body === undefined ? [] : [413, 415]),
    ...(each.method === "post" ? [422] : []),
    ...problems,
  ];
  const problem = { "application/problem+json": { schema: of(problemSchema) } };
  const answerIn = { "application/json": content("application/json") };
  return Object.fromEntries([
    ...failing.map((code) => [code, described(code, answerIn)]),
    [status, described(status, Object.fromEntries(types.map((type) => [plainType(type), content(type)])))],
    ...(each.method === "get" ? [[304, { description: statusTexts[304] }]] : []),
    ...[...new Set(refused)].sort((a, b) => a - b).map((code) => [code, described(code, problem)]),
  ]) as Fields;
}

function described(status: number, content: Fields): Fields {
  const description = statusTexts[status] ?? "";
  return Object.keys(content).length === 0 ? { description } : { description, content };
}

function pathParameters({ path }: Route): Fields[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ query }: Route, of: (schema: unknown) => Fields): Fields[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = of(query) as {
    properties?: Record<string, Fields>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

function headerParameters({ method, isOpen, headers = {} }: Route): Fields[] {
  const schema = { type: "string" };
  const own = Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema,
  }));
  if (method === "get" && isOpen !== true)
    own.push({
      name: "If-None-Match",
      in: "header",
      description: "the ETag of an answer that is known",
      schema,
    });
  if (method === "post")
    own.push({
      name: "Idempotency-Key",
      in: "header",
      description: "a request that comes again with the same key is answered as the first one, and done once",
      schema,
    });
  return own;
}

/** Without its parameters. */
function plainType(type: string): string {
  return type.split(";", 1)[0] ?? type;
}
