// One machine of the benchmark: what it and its disks are called, before and after they are moved.
// Its objects in the cluster are made of this, and what the daemon writes to them is judged by it.
import type { Json } from '../cluster.ts';

/** One machine and what it is called in the cluster. */
export interface Machine {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  /** A live migration of its one disk is under way; the others have two disks and are left alone. */
  readonly migrating: boolean;
}

/** Volume names, each with the claim it is on before anything is moved. */
export const disksOf = ({ name, migrating }: Machine): readonly { volume: string; claim: string }[] =>
  migrating
    ? [{ volume: 'rootdisk', claim: `${name}-root` }]
    : [
        { volume: 'rootdisk', claim: `${name}-root` },
        { volume: 'datadisk', claim: `${name}-data` },
      ];

/** The claim that the disk of a migrating machine is moved to. */
export const targetOf = ({ name }: Machine): string => `${name}-root-fast`;

/** The dataVolumeTemplates entry behind the root disk, which a revert has to restore. */
export const templateOf = ({ name }: Machine): Json => ({
  metadata: { name: `${name}-root` },
  spec: {
    sourceRef: { kind: 'DataSource', name: 'fedora', namespace: 'golden-images' },
    storage: { resources: { requests: { storage: '30Gi' } }, storageClassName: 'array-old' },
  },
});

/** The root disk's volume as its owner wrote it. */
export const rootEntryOf = ({ name }: Machine): Json => ({ name: 'rootdisk', dataVolume: { name: `${name}-root` } });

/** Name of the virt-launcher it runs in, or of the one it is migrated to. */
export const launcherName = ({ name }: Machine, which: 'source' | 'target'): string =>
  `virt-launcher-${name}-${which === 'source' ? 'x7k2p' : 'd94tz'}`;

/** The node it is migrated to. */
export const targetNode = ({ node }: Machine): string => `${node}-b`;
