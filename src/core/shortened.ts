// Keeps what is told to people within bounds: a status with hundreds of disks has to fit into one object of the
// cluster (1.5 MB), and whoever reads a condition wants the beginning of a list more than all of it. Pure.

/** `text`, or its beginning where it has more than `most` characters. */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
