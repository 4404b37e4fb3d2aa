// A VMI that comes into another phase, as virt-controller and virt-handler write it alike. Pure but for the clock of the
// simulated server.
import type { Context } from './context.ts';
import type { VmiStatus } from './objects.ts';

/** The status with this phase, and with the time at which it was entered. */
export const withPhase = (context: Context, status: VmiStatus, phase: string): VmiStatus => ({
  ...status,
  phase,
  phaseTransitionTimestamps: [
    ...(status.phaseTransitionTimestamps ?? []),
    { phase, phaseTransitionTimestamp: context.stamp() },
  ],
});
