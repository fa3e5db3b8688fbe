/** What we use of markdown-it, which brings no types of its own. */
declare module "markdown-it" {
  export interface Token {
    tag: string;
    info: string;
    content: string;
    attrSet(name: string, value: string): void;
  }
  interface Renderer {
    renderToken(tokens: Token[], at: number, options: unknown): string;
    rules: Record<
      string,
      ((tokens: Token[], at: number, options: unknown, env: unknown, self: Renderer) => string) | undefined
    >;
  }
  class MarkdownIt {
    constructor(options: { html: boolean; linkify: boolean; breaks: boolean; maxNesting?: number });
    readonly renderer: Renderer;
    validateLink: (url: string) => boolean;
    disable(rules: string[]): this;
    render(text: string): string;
  }
  export { MarkdownIt as default };
}
