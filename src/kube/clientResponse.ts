// A response as a whole, or line by line: what is left of HTTP once a request has gone out.
import { concatWith, defer, EMPTY, map, mergeMap, type OperatorFunction, reduce, throwError } from 'rxjs';
import type { ResponsePart } from './clientExchange.ts';
import { type Asked, refusedRequest, strangeAnswer } from './clientFailure.ts';
import { lines, newline } from './clientLines.ts';

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Gathers a response into the text of a successful answer; any other becomes its failure. */
export const wholeAnswer =
  (asked: Asked, maxBytes: number): OperatorFunction<ResponsePart, string> =>
  (parts) =>
    defer(() => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      const none = { status: 0, retryAfter: undefined as string | undefined };
      return parts.pipe(
        reduce((head, part) => {
          if (part.kind === 'head') return part;
          chunks.push(part.chunk);
          bytes += part.chunk.length;
          if (bytes > maxBytes) throw strangeAnswer(asked, 'the answer is too long', `more than ${maxBytes} bytes`);
          return head;
        }, none),
        map(({ status, retryAfter }) => {
          const body = Buffer.concat(chunks).toString('utf8');
          if (!isSuccess(status)) throw refusedRequest(asked, status, body, retryAfter);
          return body;
        }),
      );
    });

/**
 * The lines of a watch; an answer other than success becomes its failure. `accepted` is the line that stands for the
 * server's consent, emitted before those that it sends; none if empty.
 */
export const answerLines =
  (asked: Asked, maxBytes: number, accepted: string): OperatorFunction<ResponsePart, string> =>
  (parts) =>
    defer(() => {
      let refusal: { readonly status: number; readonly retryAfter: string | undefined } | undefined;
      const said: Uint8Array[] = [];
      const consent = Buffer.concat([Buffer.from(accepted), Buffer.of(newline)]);
      const take = (part: ResponsePart): readonly Uint8Array[] => {
        if (part.kind === 'data') {
          if (refusal === undefined) return [part.chunk];
          if (said.length < 100) said.push(part.chunk);
        } else if (isSuccess(part.status)) return [consent];
        else refusal = part;
        return [];
      };
      const refuse = defer(() => {
        if (refusal === undefined) return EMPTY;
        const body = Buffer.concat(said).toString('utf8');
        return throwError(() => refusedRequest(asked, refusal?.status ?? 0, body, refusal?.retryAfter));
      });
      return parts.pipe(
        mergeMap(take),
        concatWith(refuse),
        lines(maxBytes, () => strangeAnswer(asked, 'a line of the watch is too long', `more than ${maxBytes} bytes`)),
      );
    });
