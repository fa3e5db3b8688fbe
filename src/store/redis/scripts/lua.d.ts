/** What .ci/lua.mjs makes of a script: its text with the includes put in, and the SHA-1 that servers know it by. */
declare module "*.lua" {
  const script: { readonly text: string; readonly sha: string };
  export { script as default };
}
