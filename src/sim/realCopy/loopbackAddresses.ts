// Addresses for pods that are processes on this machine: 127.0.0.0/8 is all ours, every address of it can be listened
// on, and none is reached from outside.

/** 15 bits tell processes on this machine apart, 9 bits the pods of one of them. */
const podBits = 9;
const mostProcesses = 2 ** 15 - 2;

let given = 0;

/** The next address; after 512 pods the first is given again. The first processes' are left out: 127.0.0.1 is everybody's. */
export const nextLoopbackAddress = (): string => {
  const place = ((1 + (process.pid % mostProcesses)) << podBits) | (given % 2 ** podBits);
  given += 1;
  return `127.${place >> 16}.${(place >> 8) & 0xff}.${place & 0xff}`;
};
