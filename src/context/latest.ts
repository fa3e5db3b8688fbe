/** What was told of last stands at the end of a map, and stays where there is no room for all. */

export function setLast<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}

export function keepLast(map: Map<string, unknown>, most: number): void {
  let over = map.size - most;
  for (const key of over > 0 ? map.keys() : []) {
    if (over <= 0) break;
    map.delete(key);
    over -= 1;
  }
}
