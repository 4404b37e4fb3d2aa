// The laws of design §3 that a single decision can break, judged by what the daemon saw and not by the facts that the
// core made of it.
import type { Decision } from '../../../src/core/decision.ts';
import type { MachineSight, Side } from './world.ts';

type Evidence = Omit<MachineSight, 'clear' | 'quiet' | 'ending'>;

/** Attempts of the recorded migration in which the guest has switched over, and on which side its target stood. */
const switchOvers = ({ vmi, pods, rec }: Evidence): readonly (Side | undefined)[] => {
  const live = rec?.live;
  if (live === undefined) return [];
  return [vmi.now, vmi.last].flatMap((each) => {
    const attempt = each?.uid === live.vmi ? each.attempt : undefined;
    if (each === undefined || attempt === undefined || !attempt.ready || live.known.includes(attempt.vmim)) return [];
    const launcher = [pods.source, pods.target].find((pod) => pod?.uid === attempt.pod);
    return [launcher?.side ?? (each.side === 'B' ? 'B' : undefined)];
  });
};

/** The daemon sees that the guest has switched over in the recorded migration. */
export const seesSwitchOver = (sight: Evidence): boolean =>
  sight.rec?.over !== undefined || switchOvers(sight).includes('B');

/** The daemon sees the VMI of the recorded live migration, or its last words, and it ends or has ended. */
const seesEnd = ({ vm, vmi, rec }: MachineSight): boolean => {
  const live = rec?.live;
  if (live === undefined) return false;
  if (vmi.now === undefined) return vmi.last?.uid === live.vmi;
  if (vmi.now.uid !== live.vmi) return false;
  const { phase, deleting } = vmi.now;
  return (
    deleting || phase === 'Succeeded' || phase === 'Failed' || vm.strategy === 'Halted' || vm.request.startsWith('Stop')
  );
};

const starts = new Set(['startLive', 'cutOver', 'createClaim', 'deleteSource']);

/** The law that is broken by deciding so; empty if none. */
export const lawsOfDecision = (sight: MachineSight, decision: Decision): string => {
  const { vm, rec } = sight;
  const [first] = decision.commands;
  const underWay = rec?.live !== undefined && rec.completed === '' && vm.exists && vm.side === 'B';
  const mayHave = sight.vmims.some(({ ready }) => ready) || rec?.over !== undefined || switchOvers(sight).length > 0;
  if (underWay && !mayHave && seesEnd(sight) && (first?.kind !== 'revert' || decision.begins)) {
    return 'law 3: the migration ends without a switch-over, and the first write is not the revert';
  }
  if (decision.commands.some(({ kind }) => starts.has(kind)) && !(decision.begins && sight.clear)) {
    return 'law 9: something is started without clearance';
  }
  if (decision.commands.some(({ kind }) => kind === 'revert' || kind === 'repair') && decision.begins) {
    return 'law 9: something that undoes is held back';
  }
  return '';
};
