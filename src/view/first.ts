/** Runs before the rest of the page is read. */
import { askEarly } from "./early.ts";
import { tokenHere } from "./token.ts";

const token = tokenHere();
const script = document.currentScript;
if (token !== undefined && script instanceof HTMLScriptElement) askEarly(script, token);
