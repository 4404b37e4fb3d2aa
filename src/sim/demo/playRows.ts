// The demo proper: plays rows one after another on one cluster, shows each as it goes, and ends with the table.
import { lastValueFrom, tap } from 'rxjs';
import type { Row } from '../scenario/rows.ts';
import { diagramOf } from './diagram.ts';
import { legend } from './laneCells.ts';
import type { Paint } from './paint.ts';
import { type Performed, performRow, type Scene } from './performRow.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { tableOf, totalOf, wrapped } from './table.ts';

const introduction = ({ url, world }: Stage, paint: Paint): readonly string[] => [
  paint('bold', 'Transship moves the disks of virtual machines while people start and stop them as they like.'),
  `Here it works on a simulated cluster with KubeVirt, through its real client: ${url}`,
  ...(world.copiesAreReal
    ? ['What is copied offline is copied for real, by rsync in TLS between processes of this machine.']
    : []),
  '',
];

const headingOf = (row: Row, screen: Screen, paint: Paint): readonly string[] => [
  '',
  ...wrapped(`Row ${row.number}: ${row.title}`, screen.width()).map((line) => paint('bold', line)),
  ...wrapped(`Expected: ${row.expected}.`, screen.width()).map((line) => paint('dim', line)),
  '',
];

const verdictOf = ({ faults, verifiedDisks }: Performed, { world }: Stage, paint: Paint): readonly string[] =>
  faults.length === 0
    ? [
        `${paint('green', '✓ passed')}: everything in its order; all that was written is on ${verifiedDisks === 1 ? 'the disk' : `the ${verifiedDisks} disks`}${world.copiesAreReal ? ', byte for byte' : ''}`,
      ]
    : faults.map((fault) => `${paint('red', '✗ FAILED')}: ${fault}`);

/** While a row is played: the lanes, and of the steps the newest that fit below. */
const sceneLines = ({ score }: Scene, row: Row, screen: Screen, paint: Paint): readonly string[] => {
  const { lanes, steps } = diagramOf(score, { width: screen.width(), paint });
  const lines = [...headingOf(row, screen, paint), ...lanes, ''];
  const room = screen.height() - lines.length;
  return room <= 0 ? lines : [...lines, ...steps.slice(-room)];
};

/** Plays the rows; the results are those of the rows, passed or failed. Rejects when the daemon ends by a bug. */
export const playRows = async (
  stage: Stage,
  rows: readonly Row[],
  screen: Screen,
  paint: Paint,
): Promise<readonly Performed[]> => {
  screen.print([...introduction(stage, paint), ...legend(stage.world.speed, paint)]);
  const results: Performed[] = [];
  for (const row of rows) {
    const scene = await lastValueFrom(
      performRow(stage, row).pipe(tap((scene) => screen.show(sceneLines(scene, row, screen, paint)))),
    );
    const { lanes, steps } = diagramOf(scene.score, { width: screen.width(), paint });
    const { result } = scene;
    if (result === undefined) continue;
    results.push(result);
    screen.print([...headingOf(row, screen, paint), ...lanes, '', ...steps, '', ...verdictOf(result, stage, paint)]);
  }
  screen.print(['', ...tableOf(results, paint), '', totalOf(results)]);
  return results;
};
