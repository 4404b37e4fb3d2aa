// Plays one row on the stage with a daemon that runs from the beginning, and gives what was seen.
import { defer, filter, map, type Observable } from 'rxjs';
import { isResult, playRow, type RowResult } from '../../src/sim/scenario/playRow.ts';
import { castOf } from '../../src/sim/scenario/rowObjects.ts';
import type { Row } from '../../src/sim/scenario/rows.ts';
import { usualVariation, type Variation } from '../../src/sim/scenario/variation.ts';
import { perform, type Stage, type StageOptions } from './stage.ts';

export interface Played {
  readonly result: RowResult;
  readonly stage: Stage;
}

/** Plays the row; `direct` may interfere with the performance while it runs. */
export const playedRow = (
  row: Row,
  variation: Partial<Variation> = {},
  options: Omit<StageOptions, 'cast'> = {},
  direct: (stage: Stage) => void = () => {},
): Played => {
  const full: Variation = { ...usualVariation, timeoutMs: 900_000, ...variation };
  return perform(
    { ...options, cast: castOf(row, full) },
    (stage): Observable<Played> =>
      defer(() => {
        stage.start();
        direct(stage);
        return playRow(stage.world, row, full).pipe(
          filter(isResult),
          map((result) => ({ result, stage })),
        );
      }),
  );
};
