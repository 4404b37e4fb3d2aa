// What the server makes up itself: the end of generated names, uids and timestamps.

const nameLetters = 'bcdfghjklmnpqrstvwxz2456789';
const longestPrefix = 58;

const hexadecimal = (random: () => number, digits: number): string => {
  let made = '';
  while (made.length < digits) made += Math.floor(random() * 16).toString(16);
  return made;
};

const generatedName = (prefix: string, random: () => number): string => {
  let name = prefix.slice(0, longestPrefix);
  for (let made = 0; made < 5; made += 1) name += nameLetters.charAt(Math.floor(random() * nameLetters.length));
  return name;
};

const uid = (random: () => number): string =>
  [
    hexadecimal(random, 8),
    hexadecimal(random, 4),
    `4${hexadecimal(random, 3)}`,
    `a${hexadecimal(random, 3)}`,
    hexadecimal(random, 12),
  ].join('-');

/** Whole seconds, as in `creationTimestamp`. */
const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Makes names, uids (of the random kind, version 4) and timestamps. */
export const identifiers = { generatedName, uid, timestamp };
