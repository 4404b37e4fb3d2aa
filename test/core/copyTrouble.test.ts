// When a person is told that a copy pod does not get to run, and in whose words.
import { describe, expect, test } from 'vitest';
import { copyTroubleOf } from '../../src/core/copyTrouble.ts';
import type { Pod } from '../../src/core/objects.ts';
import { at, client, server, startMs } from './builders.ts';

const pending = (fields: Partial<Pod> = {}): Partial<Pod> => ({ phase: 'Pending', createdAt: at(-45), ...fields });
const said = (pods: readonly Pod[], words = ''): string | undefined =>
  copyTroubleOf(pods, () => words, startMs)?.message;

describe('copyTroubleOf', () => {
  test("the scheduler's own words are told within a minute", () => {
    const pods = [client('web-1', pending({ trouble: 'Unschedulable: 0/3 nodes are available' }))];
    expect(said(pods)).toBe(
      `Pod copy-client-web-1-root has been Pending since ${at(-45)}: Unschedulable: 0/3 nodes are available.`,
    );
  });

  test('what stands in the pod comes before what stands in Events, and both before nothing', () => {
    const [pod, mute] = [
      client('web-1', pending({ trouble: 'ErrImagePull: no such image' })),
      client('web-1', pending()),
    ];
    expect(said([pod], 'FailedMount: timed out')).toContain('ErrImagePull: no such image.');
    expect(said([mute], 'FailedMount: timed out')).toContain('FailedMount: timed out.');
    expect(said([mute])).toContain('nobody has said why yet; see "kubectl describe pod".');
  });

  test('a server with several claims may ask too much of one node, and the way out is named', () => {
    const shared = server(['web-1', 'web-2'], pending({ trouble: 'Unschedulable: volume node affinity conflict' }));
    expect(said([shared])).toContain('set spec.transfer.server to PerVirtualMachine');
    expect(said([server(['web-1'], pending())])).not.toContain('PerVirtualMachine');
    expect(said([{ ...shared, vmName: 'web-1' }])).not.toContain('PerVirtualMachine');
  });

  test.each<[string, Pod]>([
    ['was just made', client('web-1', pending({ createdAt: at(-29) }))],
    ['runs', client('web-1', pending({ phase: 'Running' }))],
    ['is being deleted', client('web-1', pending({ deleting: true }))],
    ['is not ours', { ...client('web-1', pending()), role: 'other' }],
  ])('nothing is told of a pod that %s', (_, pod) => {
    expect(said([pod], 'FailedMount: timed out')).toBeUndefined();
  });
});
