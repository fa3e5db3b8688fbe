/** Names of principals, by one rule: what two people may both take for one name is one name. */

/** The longest name, in characters. */
export const longestName = 128;

/** Default_Ignorable_Code_Point, and the pattern of Braille without a dot, look like nothing. */
const unseen = "\\p{C}\\p{DI}\\u2800";

/**
 * Letters, digits, marks, signs; spaces only within. Nothing that cannot be seen (control characters, marks of
 * direction, joiners of no width, letters and marks that leave no trace), and no half of a character.
 */
export const principalPattern = new RegExp(
  `^(?=.{1,${longestName}}$)[^${unseen}\\p{Z}](?:[^${unseen}\\p{Zl}\\p{Zp}]*[^${unseen}\\p{Z}])?$`,
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
