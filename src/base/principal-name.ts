/** Names of principals, by one rule: what two people may both take for one name is one name. */

/** The longest name, in characters. */
export const longestName = 128;

/**
 * Letters, digits, marks, signs; spaces only within. Nothing that cannot be seen (control characters, marks of
 * direction, joiners of no width), and no half of a character.
 */
export const principalPattern = new RegExp(
  `^(?=.{1,${longestName}}$)[^\\p{C}\\p{Z}](?:[^\\p{C}\\p{Zl}\\p{Zp}]*[^\\p{C}\\p{Z}])?$`,
  "u",
);

/** What is allowed, for messages. */
export const principalAllowed = `a name of 1 to ${longestName} visible characters, such as ann or ann@example.com, without spaces at its ends`;

/** The name in the one spelling in which it is kept and compared (NFC); undefined for what is none. */
export function principalFrom(text: unknown): string | undefined {
  if (typeof text !== "string" || text.length > 4 * longestName) return undefined;
  const name = text.normalize("NFC");
  return principalPattern.test(name) ? name : undefined;
}
