/** What .ci/view.mjs makes of the web view: one page with all that it needs, and what a browser may do with it. */
declare module "*/view/index.html" {
  const page: { readonly html: string; readonly policy: string };
  export { page as default };
}
