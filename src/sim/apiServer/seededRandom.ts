// Randomness that a seed repeats: generated names and uids come from it, so that a seeded run is the same every time.

/** Numbers from 0 up to 1 (excluded), the same sequence for the same seed. */
export const seededRandom = (seed: number): (() => number) => {
  let state = (seed ^ 0x2545f491) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (Math.imul(state, 0x9e3779b1) >>> 0) / 0x1_0000_0000;
  };
};
