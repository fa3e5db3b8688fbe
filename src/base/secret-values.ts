/** Which values of params are secret: by their place, by their name, by their form. */
import { isRecord } from "./json.ts";

/** The shortest secret: one that is named as such, and one that only stands where secrets stand. */
const [minNamed, minPlaced] = [4, 8];
/** Longer texts are no secrets, and to look for them everywhere would cost time. */
const maxChars = 16_384;
/** Params are looked through this far. */
const maxParts = 100_000;

const secretName =
  /pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|authorization|cookie|(?:^|[-_.])(?:key|auth|bearer|pwd|pat|pin)$/i;
/** Not secret wherever they stand: paths, lists of them, addresses without credentials, plain words of settings. */
const harmless =
  /^(?:(?:[~.]{0,2}|[A-Za-z]:)[\\/][\w .@%,+~\\/-]*(?:[:;](?:[~.]{0,2}|[A-Za-z]:)[\\/][\w .@%,+~\\/-]*)*|https?:\/\/[^@?#]*|application\/[\w.+-]+|production|development|[\d.,:-]+)$/;
/** Too common to be secret. */
const plainWord = /^(?:true|false|null|none|auto|default|enabled|disabled|basic|bearer|\d{1,6})$/i;
/** Tokens by how their issuers begin them. */
export const tokenShape =
  /\b(?:(?:sk|pk|rk)[-_]|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|npm_|hf_|AKIA|ASIA|AIza|ya29\.|eyJ|SG\.|dop_v1_|shpat_|pypi-|AGE-SECRET-KEY-|acps_)[\w.-]{12,}/g;

/** The variable `PWD` is the folder that one is in, whatever its name looks like: every path of the project begins with it. */
export function isSecretName(name: string): boolean {
  return name !== "PWD" && secretName.test(name);
}

/** Every form in which a secret of the params may be quoted. */
export function valuesIn(params: unknown): Set<string> {
  const finder = new Finder();
  finder.look(params);
  return finder.found;
}

class Finder {
  readonly found = new Set<string>();
  readonly #open: { readonly value: unknown; readonly name: string; readonly isPlaced: boolean }[] = [];

  /** Without recursion: params may be nested as deep as they like. */
  look(params: unknown): void {
    this.#open.push({ value: params, name: "", isPlaced: false });
    for (let parts = 0; parts < maxParts; parts += 1) {
      const next = this.#open.pop();
      if (next === undefined) return;
      const { value, name, isPlaced } = next;
      if (typeof value === "string") this.#text(value, name, isPlaced);
      else if (Array.isArray(value)) this.#list(value, name, isPlaced);
      else if (isRecord(value)) this.#record(value, isPlaced);
    }
  }

  #record(value: Readonly<Record<string, unknown>>, isPlaced: boolean): void {
    // ACP's form of variables and headers.
    if (isPlaced && typeof value.name === "string" && "value" in value) {
      this.#open.push({ value: value.value, name: value.name, isPlaced });
      return;
    }
    for (const [name, each] of Object.entries(value))
      this.#open.push({ value: each, name, isPlaced: isPlaced || name === "env" || name === "headers" });
  }

  #list(list: readonly unknown[], name: string, isPlaced: boolean): void {
    let before = "";
    for (const each of list) {
      // `--token abc`: the flag names what comes after it.
      const isNamed = name === "args" && /^--?[\w-]+$/.test(before);
      this.#open.push({ value: each, name: isNamed ? before : name, isPlaced });
      before = typeof each === "string" ? each.slice(0, 100) : "";
    }
  }

  #text(text: string, name: string, isPlaced: boolean): void {
    if (text.length > maxChars) return;
    const isNamed = isSecretName(name);
    if (isNamed && text.length >= minNamed) this.#add(text);
    else if (isPlaced && text.length >= minPlaced && !harmless.test(text)) this.#add(text);
    // `--token=abc`, `KEY=abc`, `Authorization: Bearer abc`
    const [, key = "", value = ""] = /^([\w.-]{1,100})\s?[=:]\s?(.*)$/s.exec(text) ?? [];
    if (isSecretName(key) && value.length >= minNamed) this.#add(value);
    for (const [token] of text.matchAll(tokenShape)) this.#add(token);
    if (text.includes(":")) this.#url(text);
    // Some give a whole set of headers as one variable.
    if (isPlaced && text.startsWith("{")) this.#open.push({ value: jsonIn(text), name: "", isPlaced });
  }

  /** Its password, and what its query names as secret. */
  #url(text: string): void {
    const [, user = "", password = ""] = /^[a-z][\w+.-]*:(?:\/\/)?([^\s:/?#@]*):(.*)@/is.exec(text) ?? [];
    if (password.length >= minNamed) this.#add(password);
    if (password.length > 0) this.#addForm(Buffer.from(`${user}:${password}`).toString("base64"));
    const query = text.indexOf("?");
    if (query < 0 || !/^[a-z][\w+.-]*:/i.test(text)) return;
    for (const part of text.slice(query + 1).split(/[&#]/)) {
      const [key = "", value = ""] = part.split("=", 2);
      if (isSecretName(key) && value.length >= minNamed) this.#add(value);
    }
  }

  /** As it is, and as it is quoted: in JSON, in a URL, by its lines, without the scheme before it. */
  #add(secret: string): void {
    for (const each of new Set([secret, converted(decodeURIComponent, secret)])) {
      this.#addForm(each);
      this.#addForm(JSON.stringify(each).slice(1, -1));
      this.#addForm(converted(encodeURIComponent, each));
      this.#addBase64(each);
    }
    for (const line of secret.split(/\r?\n/)) if (line.length >= minPlaced) this.#addForm(line);
    this.#addForm(/^(?:bearer|basic|token|digest)\s+(\S+)$/i.exec(secret)?.[1] ?? "");
  }

  /** Not of a short one, whose base64 many texts share. Without the end, which depends on what follows it. */
  #addBase64(secret: string): void {
    const bytes = Buffer.from(secret);
    if (bytes.length < minPlaced) return;
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
    for (const form of ["base64", "base64url"] as const) this.#addForm(whole.toString(form));
  }

  #addForm(text: string): void {
    if (text.length >= minNamed && !plainWord.test(text)) this.found.add(text);
  }
}

/** The text itself where it cannot be converted. */
function converted(convert: (text: string) => string, text: string): string {
  try {
    return convert(text);
  } catch {
    return text;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
