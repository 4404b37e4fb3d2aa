// A map that remembers only so many of the entries set last: for what must not be forgotten soon, nor kept for ever.

export interface RecentMap<T> {
  get(key: string): T | undefined;
  has(key: string): boolean;
  /** Returns the key that was forgotten to make room. */
  set(key: string, value: T): string | undefined;
  delete(key: string): void;
}

/** Makes an empty map that forgets the oldest entry when it would hold more than `limit`. */
export const recentMap = <T>(limit: number): RecentMap<T> => {
  const entries = new Map<string, T>();
  return {
    get: (key) => entries.get(key),
    has: (key) => entries.has(key),
    delete: (key) => {
      entries.delete(key);
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= limit) return undefined;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
      return oldest;
    },
  };
};
