/** What is used of fzstd. */
declare module "fzstd" {
  export class Decompress {
    constructor(take: (piece: Uint8Array) => void);
    push(piece: Uint8Array, isLast?: boolean): void;
  }
}
