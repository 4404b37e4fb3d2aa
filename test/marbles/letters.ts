// The alphabet of the plays: what each letter of a line means, for machine `web` in small and for machine `db` in
// capital letters. A line is a kind of object, and pods have four: it is easier to hear who is meant.
//
//     vm       u is switched on   h is switched off (Halted)   o is off: KubeVirt has ended it
//              with runStrategy Manual:   m is on   q is asked to stop   n is off
//              at the beginning, naming B:   b is on   c is switched off   d is off
//     vmi      p not running yet   r runs on A   c copies to B   s has switched over   e moved   t ending   g gone
//              f the guest has ended   x and KubeVirt has given up the copy
//     vmim     r runs   d Succeeded   g gone
//     first    the virt-launcher on A        second  the one on B
//     server   the copy server               client  the copy clients
//     pods     p Pending   r Running   d ended well   f failed   t being deleted   g gone
//
//     smig     p is paused   u goes on   x is deleted
//     any      0 the newest version of web again   1 the one before that, late
//
// What the API server does by itself when we write is not drawn: a pod that we make is there and Pending, one that we
// delete is being deleted, and a VM that we patch names other claims.
//
//     records  o offline copy begins   w it is whole   v it is void   k cut-over begins
//              l live migration begins   s switched over   e ended without   d done   n seen on the target
//     writes   s create the server (S with the disk of db, z of both)   c create the client   x delete the client
//              y delete the server   b name B in the VM   a name A again   f write the finalizers
//              (j write the status, which is not drawn but can be answered)

import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { client, launcher, migration, type PodLetter, server, type VmLetter, vm, vmi, vmim } from './cast.ts';
import type { Letter, Line } from './stage.ts';

type Letters = Readonly<Record<string, Letter>>;

/** A watch may repeat itself, and bring late what is long past. */
const repeats = (name: string): Letters => ({ 0: { name, versionsAgo: 0 }, 1: { name, versionsAgo: 1 } });

const both = (lettersOf: (machine: string) => Letters): Letters => {
  const letters = lettersOf('web');
  const [first] = Object.values(letters);
  return {
    ...Object.fromEntries(Object.entries(lettersOf('db')).map(([letter, value]) => [letter.toUpperCase(), value])),
    ...letters,
    ...repeats(first?.name ?? ''),
  };
};

type Becomes = (before: KubeObject | undefined) => KubeObject;

const becomes = (name: string, state: Becomes): Letter => ({ name, becomes: state });
const is = (state: KubeObject): Letter => becomes(state.metadata.name, () => state);

/** A VM as somebody else leaves it: the volumes stay as they are. */
const vmLetter = (name: string, letter: VmLetter): Letter =>
  becomes(name, (before) => {
    const { spec, status, ...rest } = vm(name, letter);
    if (before === undefined) return { ...rest, spec, status };
    return {
      ...before,
      spec: { ...field(before, 'spec'), runStrategy: field({ spec }, 'spec')['runStrategy'] },
      status,
    };
  });

const field = (object: Readonly<Record<string, unknown>>, name: string) => object[name] as Record<string, unknown>;

const vmLetters = both((name) => ({
  u: vmLetter(name, { strategy: 'Always' }),
  h: vmLetter(name, { strategy: 'Halted', created: true }),
  o: vmLetter(name, { strategy: 'Halted' }),
  m: vmLetter(name, { strategy: 'Manual', created: true }),
  q: vmLetter(name, { strategy: 'Manual', created: true, requests: ['Stop'] }),
  b: vmLetter(name, { on: 'target' }),
  c: vmLetter(name, { strategy: 'Halted', created: true, on: 'target' }),
  d: vmLetter(name, { strategy: 'Halted', on: 'target' }),
  n: vmLetter(name, { strategy: 'Manual', created: false }),
}));

const vmiLetters = both((name) => ({
  p: is(vmi(name, { phase: 'Scheduling' })),
  r: is(vmi(name)),
  c: is(vmi(name, { on: 'target', migration: 'copying' })),
  s: is(vmi(name, { on: 'target', migration: 'switched' })),
  e: is(vmi(name, { on: 'target', migration: 'ended' })),
  t: is(vmi(name, { on: 'target', migration: 'failed', deleting: true })),
  f: is(vmi(name, { on: 'target', migration: 'copying', phase: 'Succeeded' })),
  x: is(vmi(name, { on: 'target', migration: 'failed', phase: 'Succeeded' })),
  g: { name, gone: true },
}));

const vmimLetters = both((name) => ({
  r: is(vmim(name)),
  d: is(vmim(name, 'Succeeded')),
  g: { name: vmim(name).metadata.name, gone: true },
}));

/** A pod as the kubelet leaves it: all but its state stays as it is. */
const podLetters = (pod: (letter: PodLetter) => KubeObject): Letters => {
  const letter = (state: PodLetter): Letter => {
    const drawn = pod(state);
    return becomes(drawn.metadata.name, (before) => ({ ...(before ?? drawn), status: drawn['status'] }));
  };
  const deleting = pod({ deleting: true });
  const { name, deletionTimestamp = '' } = deleting.metadata;
  return {
    p: letter({ phase: 'Pending' }),
    r: letter({ phase: 'Running' }),
    d: letter({ phase: 'Succeeded' }),
    f: letter({ phase: 'Failed' }),
    t: becomes(name, (before = deleting) => ({ ...before, metadata: { ...before.metadata, deletionTimestamp } })),
    g: { name, gone: true },
    ...repeats(name),
  };
};

export interface Cluster {
  readonly vm: string;
  readonly vmi?: string;
  readonly vmim?: string;
  readonly first?: string;
  readonly second?: string;
  readonly server?: string;
  readonly client?: string;
  readonly smig?: string;
}

const edited = (edit: (spec: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>): Letter =>
  becomes('move', (before = migration([])) => ({ ...before, spec: edit(field(before, 'spec')) }));

const migrationLetters: Letters = {
  p: edited((spec) => ({ ...spec, paused: true })),
  u: edited((spec) => ({ ...spec, paused: false })),
  x: becomes('move', (before = migration([])) => {
    const deletionTimestamp = '2026-03-01T12:00:00Z';
    return { ...before, metadata: { ...before.metadata, deletionTimestamp } };
  }),
};

/** The lines of a play. */
export const linesOf = (cluster: Cluster): readonly Line[] => [
  { resource: resources.virtualMachines, diagram: cluster.vm, letters: vmLetters },
  { resource: resources.virtualMachineInstances, diagram: cluster.vmi ?? '', letters: vmiLetters },
  { resource: resources.virtualMachineInstanceMigrations, diagram: cluster.vmim ?? '', letters: vmimLetters },
  {
    resource: resources.pods,
    diagram: cluster.first ?? '',
    letters: both((name) => podLetters((letter) => launcher('first', name, letter))),
  },
  {
    resource: resources.pods,
    diagram: cluster.second ?? '',
    letters: both((name) => podLetters((letter) => launcher('second', name, letter))),
  },
  {
    resource: resources.pods,
    diagram: cluster.server ?? '',
    letters: podLetters((letter) => server(['web'], letter)),
  },
  {
    resource: resources.pods,
    diagram: cluster.client ?? '',
    letters: both((name) => podLetters((letter) => client(name, { copyId: '1000', ...letter }))),
  },
  { resource: resources.storageMigrations, diagram: cluster.smig ?? '', letters: migrationLetters },
];

const spoken = (wordsOf: (machine: string) => Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  ...wordsOf('web'),
  ...Object.fromEntries(Object.entries(wordsOf('db')).map(([letter, word]) => [letter.toUpperCase(), word])),
});

/** What the letters of the line `writes` stand for. */
export const writeWords: Readonly<Record<string, string>> = {
  ...spoken((machine) => ({
    s: `create copy-server-move: ${machine}-root-fast`,
    c: `create copy-client-${machine}-root: ${machine}-root`,
    x: `delete copy-client-${machine}-root`,
    a: `patch ${machine}: ${machine}-root`,
    b: `patch ${machine}: ${machine}-root-fast, Migration`,
  })),
  z: 'create copy-server-move: web-root-fast, db-root-fast',
  y: 'delete copy-server-move',
  f: 'finalizers of move',
  j: 'status of move',
};

/** What the letters of the line `records` stand for. */
export const recordWords = spoken((machine) => ({
  o: `copyBegins ${machine}`,
  w: `copyEnded ${machine}`,
  v: `copyVoid ${machine}`,
  k: `cutOverBegins ${machine}`,
  l: `liveBegins ${machine}`,
  s: `switchedOver ${machine}`,
  g: `endSeen ${machine}`,
  e: `liveEnded ${machine}`,
  d: `completed ${machine}`,
  n: `seenOnTarget ${machine}`,
}));
