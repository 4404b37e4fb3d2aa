// What was thrown, in words. JavaScript throws anything, and most of what is caught is only told to people.

/** The message of an error; of anything else, its text. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
