// Bytes of a response cut into lines. A watch comes in chunks that end anywhere, in the middle of a character too, so
// the cut is made on newline bytes and only whole lines become text.
import { Observable, type OperatorFunction } from 'rxjs';
import { listen } from '../operators/listen.ts';

/** The byte that ends a line. */
export const newline = 0x0a;

/**
 * Emits each line without its newline; empty lines are left out. A last line without a newline is emitted at the end.
 * Errors with what `tooLong` makes when a line would exceed `maxBytes`.
 */
export const lines = (maxBytes: number, tooLong: () => unknown): OperatorFunction<Uint8Array, string> => {
  return (chunks) =>
    new Observable((subscriber) => {
      /** The beginning of a line whose end has not come yet. */
      let pieces: Uint8Array[] = [];
      let pending = 0;

      const emit = (last: Uint8Array): void => {
        const line = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
        pieces = [];
        pending = 0;
        if (line.length > 0) subscriber.next(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'));
      };

      listen(chunks, subscriber, {
        next: (chunk) => {
          let start = 0;
          for (let end = chunk.indexOf(newline); end >= 0 && !subscriber.closed; end = chunk.indexOf(newline, start)) {
            emit(chunk.subarray(start, end));
            start = end + 1;
          }
          if (start === chunk.length) return;
          pending += chunk.length - start;
          if (pending > maxBytes) subscriber.error(tooLong());
          else pieces.push(chunk.subarray(start));
        },
        complete: () => {
          emit(new Uint8Array());
          subscriber.complete();
        },
      });
    });
};
