/** Judges an answer by the document: its status, its type and its shape must be what `/api/openapi.json` says. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { documentOf } from "../../src/http/openapi.ts";
import { routes } from "../../src/http/routes.ts";

interface Media {
  readonly schema?: object;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export const document = documentOf(routes) as unknown as Document;

const ajv = new Ajv2020({ strict: false, allErrors: false });
ajv.addSchema({ $id: "document", ...document });
const known = new Map<string, ValidateFunction>();

/** Throws where the answer is not what the document says. */
export function judge(method: string, path: string, { status, headers }: Response, text: string): void {
  const at = Object.keys(document.paths).find((each) => isAt(each, new URL(path, "http://x").pathname));
  const operation = at === undefined ? undefined : document.paths[at]?.[method.toLowerCase()];
  // What is no operation answers with a problem all the same.
  const response = operation?.responses[status];
  const type = headers.get("content-type")?.split(";", 1)[0] ?? "";
  if (operation === undefined || at === undefined) {
    if (type === "application/problem+json") check("problem", "/components/schemas/Problem", text);
    return;
  }
  const place = `${method} ${at} ${status} ${type}`;
  if (response === undefined)
    throw new Error(`${place}: the document knows no such status: ${text.slice(0, 300)}`);
  if (text === "" && response.content === undefined) return;
  const media = response.content?.[type];
  if (media === undefined) throw new Error(`${place}: the document knows no such type`);
  if (media.schema === undefined) return;
  const pointer = ["paths", at, method.toLowerCase(), "responses", String(status), "content", type, "schema"];
  check(place, pointer.map((each) => `/${each.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""), text);
}

function check(place: string, pointer: string, text: string): void {
  const validate =
    known.get(pointer) ?? ajv.compile({ $ref: `document#${encodeURI(pointer).replaceAll("+", "%2B")}` });
  known.set(pointer, validate);
  if (!validate(JSON.parse(text)))
    throw new Error(`${place}: ${ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}`);
}

function isAt(template: string, path: string): boolean {
  const [wanted, given] = [template.split("/"), path.split("/")];
  return (
    wanted.length === given.length && wanted.every((part, at) => part.startsWith("{") || part === given[at])
  );
}
