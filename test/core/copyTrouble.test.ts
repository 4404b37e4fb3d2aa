// When a person is told that a copy pod does not get to run, and in whose words.
import { describe, expect, test } from 'vitest';
import { copyTroubleOf, refusalTroubleOf } from '../../src/core/copyTrouble.ts';
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

  test('a pod that does not go is told with its node and with what a person can do, also beside one that is Pending', () => {
    const lost = server(['web-1'], { deleting: true, goneBy: at(-31), nodeName: 'n7' });
    expect(said([lost, client('web-1', pending())])).toMatch(
      /^Pod copy-server was to be gone by .* and is still there; see whether node n7 is up\. .*out-of-service/,
    );
    expect(said([{ ...lost, goneBy: at(-29) }])).toBeUndefined();
    expect(said([{ ...lost, role: 'other' }])).toBeUndefined();
  });
});

describe('refusalTroubleOf', () => {
  const quota = 'pods "copy-server" is forbidden: failed quota: all: must specify limits.cpu for: copy';

  test('that a copy pod is refused is told when it lasts, in the words of the API server', () => {
    expect(refusalTroubleOf({ message: quota, sinceMs: startMs - 29_999 }, startMs)).toBeUndefined();
    const told = refusalTroubleOf({ message: quota, sinceMs: startMs - 30_000 }, startMs);
    expect(told?.reason).toBe('CopyPodRefused');
    expect(told?.message).toBe(
      `The API server has refused a copy pod since ${at(-30)}: ${quota}. A LimitRange gives requests and limits to pods that name none.`,
    );
  });

  test('nothing is told while none is refused', () => {
    expect(refusalTroubleOf(undefined, startMs)).toBeUndefined();
  });
});
