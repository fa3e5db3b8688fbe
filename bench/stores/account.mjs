/** Rows of a table of stores: a figure per store, and what was wanted of it. */

export const micros = (ms) => ms * 1000;
export const millis = (ms) => ms;
export const perSecond = (ms) => 1000 / ms;

/**
 * `as` makes a figure of the samples in ms that are called `NAME what`. `wanted` has by name what its figure must
 * be: `atMost`, `atLeast`, or at most so many `times` the ms of another one, `of`, in the same round.
 */
export function rowOf(samples, names, { title, what, as = millis, wanted = {} }) {
  const figures = {};
  for (const name of names) {
    const value = samples.median(`${name} ${what}`);
    if (value !== undefined) figures[name] = as(value);
  }
  const found = Object.entries(wanted)
    .filter(([name]) => figures[name] !== undefined)
    .map(([name, want]) => ({ name, ...judged(name, want, { samples, what, figures }) }));
  return {
    what: title,
    figures,
    wanted: found.map(({ text }) => text).join("; "),
    ...(found.length > 0 && { missed: found.filter(({ met }) => !met).map(({ name }) => name) }),
  };
}

function judged(name, { atMost, atLeast, times, of }, { samples, what, figures }) {
  if (times !== undefined) {
    const ratio = samples.ratio(`${name} ${what}`, `${of} ${what}`);
    return { text: `${name} ${ratio.toFixed(2)} × (≤ ${times})`, met: ratio <= times };
  }
  const figure = figures[name];
  if (atMost !== undefined) return { text: `${name} ≤ ${atMost}`, met: figure <= atMost };
  return { text: `${name} ≥ ${atLeast.toLocaleString("en")}`, met: figure >= atLeast };
}
