/** The types of mutate.mjs, which the fuzzing agent uses too. */
export type Chance = () => number;
export function mutate(random: Chance, text: string): string;
export function garbage(random: Chance): Buffer;
export function randomFrom(seed: number): Chance;
