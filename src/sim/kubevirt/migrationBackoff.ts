// How long an automatic migration waits after failed ones: 20 s, doubled with each failure since the last success that
// is still there, counted from the last failure (contract §3). Deleted attempts do not count.
import type { Context } from './context.ts';
import type { Vmi, Vmim } from './objects.ts';

const compareAge = (one: Vmim, other: Vmim): number => {
  const [earlier, later] = [one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? ''];
  if (earlier === later) return Number(one.metadata.resourceVersion) - Number(other.metadata.resourceVersion);
  return earlier < later ? -1 : 1;
};

const isAutomatic = ({ metadata }: Vmim): boolean =>
  metadata.annotations?.['kubevirt.io/workloadUpdateMigration'] !== undefined ||
  metadata.annotations?.['kubevirt.io/evacuationMigration'] !== undefined;

const leftMs = (context: Context, vmi: Vmi, vmim: Vmim): number => {
  if (!isAutomatic(vmim)) return 0;
  const newestFirst = context
    .migrationsOf(vmi.metadata.namespace, vmi.metadata.name)
    .filter(isAutomatic)
    .toSorted((one, other) => compareAge(other, one));
  if (newestFirst[0]?.metadata.uid !== vmim.metadata.uid) return 0;
  let backoffMs = 0;
  for (const earlier of newestFirst.slice(1)) {
    if (earlier.status?.phase === 'Succeeded') break;
    if (earlier.metadata.deletionTimestamp !== undefined || earlier.status?.phase !== 'Failed') continue;
    backoffMs = backoffMs === 0 ? context.options.backoffMs : backoffMs * 2;
  }
  const last = newestFirst[1]?.status?.phaseTransitionTimestamps?.find(({ phase }) => phase === 'Failed');
  if (backoffMs === 0 || last === undefined) return 0;
  return Date.parse(last.phaseTransitionTimestamp) + backoffMs - context.server.now();
};

/** Time this VMIM has to wait still, in ms, zero or less if none; `compareAge` sorts VMIMs oldest first. */
export const migrationBackoff = Object.assign(leftMs, { compareAge });
